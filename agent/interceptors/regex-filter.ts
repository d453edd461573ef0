import { z } from '../../config/index.js';
import { type InterceptorComponent, inSource, regularExpression } from './interceptor.js';

const schema = z
  .strictObject({
    include: regularExpression().optional().describe('Keep only records that match.'),
    exclude: regularExpression().optional().describe('Drop records that match.'),
  })
  .refine((options) => options.include !== undefined || options.exclude !== undefined, {
    error: 'needs include or exclude',
  })
  .describe('Drops records by regular expressions. The archive then lacks them, as it should.');

export const regexFilter: InterceptorComponent<typeof schema> = {
  type: 'regex_filter',
  schema,
  example: inSource('{ type: regex_filter, exclude: "^DEBUG " }'),
  create: (options) => {
    const include = options.include === undefined ? undefined : new RegExp(options.include, 'u');
    const exclude = options.exclude === undefined ? undefined : new RegExp(options.exclude, 'u');
    return {
      intercept(record): boolean {
        if (include && !include.test(record.text)) return false;
        return !exclude?.test(record.text);
      },
    };
  },
};
