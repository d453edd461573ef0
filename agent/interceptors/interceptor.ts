import { type Component, type OptionsSchema, z } from '../../config/index.js';
import type { Header } from '../../protocol/records/index.js';
import type { System } from '../../system/index.js';
import type { RecordView } from './record-view.js';

/** Looks at the records of one source on their way, and may change or drop them. */
export interface Interceptor {
  /** Headers that every record gets; they cost nothing per record. */
  readonly constantHeaders?: readonly Header[];
  /** False drops the record. Left out where there is nothing to do per record. */
  intercept?(record: RecordView): boolean;
  /** Records of this source that were acknowledged, or failed and will be sent again. */
  onDelivered?(records: number, succeeded: boolean): void;
}

/** What an interceptor may use. */
export interface InterceptorContext {
  readonly system: System;
  /** The name of the source it stands in. */
  readonly source: string;
}

/** A type of interceptor: see `interceptors` for those that there are. */
export type InterceptorComponent<Schema extends OptionsSchema = OptionsSchema> = Component<
  Schema,
  InterceptorContext,
  Interceptor
>;

/** A YAML file with this interceptor in it, for `Component.example`. */
export function inSource(interceptor: string): string {
  return `
kafka: { bootstrap: [logs.internal:9092] }
agent:
  sources:
    app:
      type: file
      include: [/var/log/app/*.log*]
      topic: app-logs
      interceptors:
        - ${interceptor}
`;
}

/** The source of a regular expression, checked when the configuration is read. */
export function regularExpression() {
  return z.string().refine(isRegularExpression, {
    error: 'must be a regular expression as in JavaScript, such as ^ERROR',
  });
}

function isRegularExpression(source: string): boolean {
  try {
    new RegExp(source, 'u');
    return true;
  } catch {
    return false;
  }
}
