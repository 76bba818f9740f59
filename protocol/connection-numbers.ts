/**
 * Ids name their connection, so that a stale reply of an earlier one (QMP-CONN-08) can be told from a wrong one. A reply
 * to a connection that is still open is never stale: it has gone to the wrong client.
 */
export class ConnectionNumbers {
  readonly open = new Set<number>();
  private last = 0;

  next(): number {
    this.open.add(++this.last);
    return this.last;
  }
}
