import { ErrorCode } from '../../protocol/index.js';
import { CLUSTER_NAME, type Operation } from '../authorizer.js';
import type {
  CommittedOffsets,
  FoundGroup,
  Group,
  GroupKind,
  MemberClaim,
  OffsetEntry,
} from '../group/index.js';
import type { BrokerServices } from '../services.js';
import type { Session } from '../session.js';

const { GROUP_AUTHORIZATION_FAILED, NONE } = ErrorCode;

/** The groups as one client may use them. */
export class GroupResources {
  constructor(
    private readonly session: Session,
    private readonly services: BrokerServices,
  ) {}

  /**
   * The group for a request of its kind's own API, made where there is none; the request must be
   * put to it in the same turn.
   */
  of<G extends Group>(kind: GroupKind<G>, groupId: string, operation: Operation): FoundGroup<G> {
    const errorCode = this.refusal(groupId, operation);
    if (errorCode !== NONE) return { group: undefined, errorCode };
    return this.services.groups.of(kind, groupId);
  }

  /** A group of any kind; GROUP_ID_NOT_FOUND where there is none. */
  find(groupId: string, operation: Operation): FoundGroup {
    const errorCode = this.refusal(groupId, operation);
    if (errorCode !== NONE) return { group: undefined, errorCode };
    return this.services.groups.find(groupId);
  }

  /** The groups of which the client may hear, and an error code while some may be missing. */
  list(): { readonly errorCode: number; readonly groups: readonly Group[] } {
    const { authorizer, groups: coordinator } = this.services;
    const all = coordinator.list();
    if (authorizer(this.session, 'DESCRIBE', 'CLUSTER', CLUSTER_NAME)) return all;
    const groups = all.groups.filter(({ id }) => this.refusal(id, 'DESCRIBE') === NONE);
    return { errorCode: all.errorCode, groups };
  }

  /** The offsets of a group; undefined where it has none. */
  committed(groupId: string): {
    readonly errorCode: number;
    readonly offsets: CommittedOffsets | undefined;
  } {
    const errorCode = this.refusal(groupId, 'DESCRIBE');
    if (errorCode !== NONE) return { errorCode, offsets: undefined };
    return this.services.groups.committed(groupId);
  }

  /** Stores offsets; resolves with an error code, once they are in the log. */
  async commit(
    groupId: string,
    claim: MemberClaim,
    entries: readonly OffsetEntry[],
  ): Promise<number> {
    const errorCode = this.refusal(groupId, 'READ');
    return errorCode === NONE ? this.services.groups.commit(groupId, claim, entries) : errorCode;
  }

  /** Deletes a group without members and its offsets; resolves with an error code. */
  async delete(groupId: string): Promise<number> {
    const errorCode = this.refusal(groupId, 'DELETE');
    return errorCode === NONE ? this.services.groups.delete(groupId) : errorCode;
  }

  /** GROUP_AUTHORIZATION_FAILED where the client may not do this to the group, else NONE. */
  refusal(groupId: string, operation: Operation): number {
    const allowed = this.services.authorizer(this.session, operation, 'GROUP', groupId);
    return allowed ? NONE : GROUP_AUTHORIZATION_FAILED;
  }
}
