import { z } from '../../config/index.js';

/** What the key of a record is made of; what the braces hold is put in per file. */
export const keyTemplate = z
  .string()
  .refine((key) => !/\{(?!(?:host|path|name)\})\w*\}/.test(key), {
    error: 'has a {…} that is not known: {host}, {path} and {name} are',
  });
