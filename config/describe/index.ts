export { jsonSchemaOf } from './json-schema.js';
export { type Page, referencePages } from './reference.js';
export { showConfig } from './show.js';
