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

/** The ids that one connection makes. */
export class OwnIds {
  private readonly number: number;
  private readonly prefix: string;
  private made = 0;

  constructor(private readonly numbers: ConnectionNumbers) {
    this.number = numbers.next();
    this.prefix = `qs${this.number}.`;
  }

  /** One that nobody else uses. */
  fresh(): string {
    return `${this.prefix}${++this.made}`;
  }

  has(id: string): boolean {
    return id.startsWith(this.prefix);
  }

  /** Whether an id is one of an earlier connection that is no longer open. */
  isOfFormer(id: string): boolean {
    const number = Number(/^qs(\d+)\.\d+$/.exec(id)?.[1] ?? this.number);
    return number < this.number && !this.numbers.open.has(number);
  }

  /** The connection is over. */
  close(): void {
    this.numbers.open.delete(this.number);
  }
}
