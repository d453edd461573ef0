import { z } from '../../config/index.js';
import { type InterceptorComponent, inSource, regularExpression } from './interceptor.js';

const schema = z
  .strictObject({
    search: regularExpression().describe('What to look for, everywhere in the value.'),
    replace: z.string().describe('What to put there; $1, $<name> and $& mean what was found.'),
  })
  .describe('Replaces text in values: to mask passwords, say.');

export const searchReplace: InterceptorComponent<typeof schema> = {
  type: 'search_replace',
  schema,
  example: inSource('{ type: search_replace, search: "password=\\\\S+", replace: "password=***" }'),
  create: ({ search, replace }) => {
    const pattern = new RegExp(search, 'gu');
    return {
      intercept(record): boolean {
        const text = record.text;
        const replaced = text.replace(pattern, replace);
        if (replaced !== text) record.text = replaced;
        return true;
      },
    };
  },
};
