import { z } from '../../config/index.js';
import { type InterceptorComponent, inSource, regularExpression } from './interceptor.js';

const schema = z
  .strictObject({
    pattern: regularExpression()
      .refine((source) => source.includes('(?<'), {
        error: 'needs a named group, such as (?<level>[A-Z]+)',
      })
      .describe('Each of its named groups that matches becomes a header of that name.'),
  })
  .describe('Copies parts of the value into headers; the value stays as it is.');

export const regexExtract: InterceptorComponent<typeof schema> = {
  type: 'regex_extract',
  schema,
  example: inSource('{ type: regex_extract, pattern: "^(?<level>[A-Z]+) " }'),
  create: ({ pattern }) => {
    const expression = new RegExp(pattern, 'u');
    return {
      intercept(record): boolean {
        const groups = expression.exec(record.text)?.groups;
        for (const name in groups) {
          const value = groups[name];
          if (value !== undefined) record.headers.push([name, Buffer.from(value)]);
        }
        return true;
      },
    };
  },
};
