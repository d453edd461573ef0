/** How many clients may be connected: Kafka's `max.connections` and its sisters. */
export interface ConnectionLimits {
  readonly total: number;
  readonly perAddress: number;
  /** By address, in place of `perAddress`. */
  readonly overrides: ReadonlyMap<string, number>;
}

/** Why a client is not let in; what the metric's label and the log say. */
export type Refusal = 'max.connections' | 'max.connections.per.ip' | 'descriptors';

/** Counts the clients that are connected, and says which one more may come. */
export class Admission {
  private total = 0;
  private readonly byAddress = new Map<string, number>();

  /** @param isShortOfDescriptors whether the process needs what it still has for its files */
  constructor(
    private readonly limits: ConnectionLimits,
    private readonly isShortOfDescriptors: () => boolean,
  ) {}

  /** Lets a client in, or says why not; who was let in must be told to `leave`. */
  enter(address: string): Refusal | undefined {
    const { total, perAddress, overrides } = this.limits;
    const own = this.byAddress.get(address) ?? 0;
    if (this.total >= total) return 'max.connections';
    if (own >= (overrides.get(address) ?? perAddress)) return 'max.connections.per.ip';
    if (this.isShortOfDescriptors()) return 'descriptors';
    this.total++;
    this.byAddress.set(address, own + 1);
    return undefined;
  }

  leave(address: string): void {
    const own = this.byAddress.get(address);
    if (own === undefined) return;
    this.total--;
    if (own === 1) this.byAddress.delete(address);
    else this.byAddress.set(address, own - 1);
  }
}

/** The address without its port; an IPv4 address in IPv6 clothes as what it is. */
export function addressOf(remote: string): string {
  return remote.replace(/:\d+$/, '').replace(/^::ffff:(?=\d+\.)/, '');
}

/** Reads `max.connections.per.ip.overrides`, such as `10.0.0.1:100,::1:5`. */
export function parseOverrides(text: string): Map<string, number> | undefined {
  const overrides = new Map<string, number>();
  for (const word of text.split(',').map((each) => each.trim())) {
    if (word === '') continue;
    const parts = /^([0-9a-fA-F.:]+):(\d+)$/.exec(word);
    if (parts?.[1] === undefined) return undefined;
    overrides.set(parts[1], Number(parts[2]));
  }
  return overrides;
}
