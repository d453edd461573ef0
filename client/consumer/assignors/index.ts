import type { Assignor } from './assignor.js';
import { range } from './range.js';
import { roundRobin } from './round-robin.js';
import { sticky } from './sticky.js';

export type { Assignment, Assignor, GroupMember } from './assignor.js';

/** The assignors by the name a group knows them by. */
export const assignors: Readonly<Record<Assignor['name'], Assignor>> = {
  range,
  roundrobin: roundRobin,
  sticky,
};
