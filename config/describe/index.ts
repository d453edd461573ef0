export { jsonSchemaOf } from './json-schema.js';
export { pageExamples } from './page-examples.js';
export { type Page, referencePages } from './reference.js';
export { showConfig } from './show.js';
