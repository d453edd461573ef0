export { type DemoConfig, demoSection } from './section.js';
export { type DemoArchive, type Evidence, judge, type Verdict } from './verdict.js';
export { DemoWriter, journalDirectory } from './writer.js';
