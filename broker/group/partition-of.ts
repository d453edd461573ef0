/**
 * The partition of an internal topic that is home to a group or a transactional id:
 * `abs(String.hashCode(key)) % partitionCount` as in Java, where abs of -2^31 is 0.
 */
export function partitionOf(key: string, partitionCount: number): number {
  let hash = 0;
  for (let i = 0; i < key.length; i++) hash = (Math.imul(hash, 31) + key.charCodeAt(i)) | 0;
  return (hash === -0x80000000 ? 0 : Math.abs(hash)) % partitionCount;
}
