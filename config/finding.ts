/** What was found where a start would need something; a `warning` keeps nothing from starting. */
export interface Finding {
  readonly outcome: 'good' | 'warning' | 'bad';
  /** What was looked at, such as `source app: /var/log/app/*.log`. */
  readonly what: string;
  /** What is wrong and what to do; the end of a sentence about `what`. */
  readonly why?: string;
}
