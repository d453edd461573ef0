export { MaildropError, MaildropSource } from './maildrop-source.js';
export { type MaildropOptions, maildropOptions } from './options.js';
export { maildropOutlook } from './outlook.js';
