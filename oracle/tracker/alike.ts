/**
 * Transitions of the model that show the same to a client, in every state in which they can be taken: which of them it was,
 * nobody outside can say. What a campaign has reached is counted in these classes.
 */

interface Likeness {
  readonly side: string;
  /** Label of each, with its own row. */
  readonly members: readonly (readonly [label: string, row: string])[];
  /** Label under which they are told together. */
  readonly name: string;
}

const classes: readonly Likeness[] = [
  {
    // Whoever starts the secondary's guest may have to wait for its turn, which shows only if a query comes in between.
    side: 'incoming',
    members: [
      ['loaded-for-colo', 'MIG-SM-I60'],
      ['loaded-for-colo-held', 'MIG-SM-I60'],
      ['started-for-colo', 'MIG-SM-I60'],
    ],
    name: 'loaded-for-colo',
  },
  {
    // It exits, and what it says of its failure may be lost with it.
    side: 'incoming',
    members: [
      ['load-failed', 'MIG-SM-I38'],
      ['load-failed-aside', 'MIG-SM-I38'],
      ['exits', 'MIG-SM-I38'],
    ],
    name: 'load-failed',
  },
  {
    // Both ways are one connection, and either reader may be the first to find it closed.
    side: 'outgoing',
    members: [
      ['channel-error', 'MIG-SM-O60'],
      ['return-path-error', 'MIG-SM-O61'],
    ],
    name: 'channel-error',
  },
  {
    side: 'outgoing',
    members: [
      ['channel-error', 'MIG-SM-O75'],
      ['return-path-error', 'MIG-SM-O75'],
    ],
    name: 'channel-error',
  },
  {
    side: 'outgoing',
    members: [
      ['return-path-error', 'MIG-SM-O38'],
      ['peer-closed', 'MIG-SM-O39'],
      ['channel-error', 'MIG-SM-O40'],
    ],
    name: 'channel-error',
  },
  {
    side: 'outgoing',
    members: [
      ['peer-shut-error', 'MIG-SM-O59'],
      ['internal-error', 'MIG-SM-O62'],
    ],
    name: 'peer-shut-error',
  },
  {
    // Whether the connection stood when the cancel came.
    side: 'command',
    members: [
      ['migrate_cancel: cancelling', 'MIG-SM-C02'],
      ['migrate_cancel: cancelling', 'MIG-SM-C03'],
    ],
    name: 'migrate_cancel: cancelling',
  },
  {
    side: 'outgoing',
    members: [
      ['connect-failed', 'MIG-SM-C02'],
      ['thread-ended', 'MIG-SM-C03'],
    ],
    name: 'thread-ended',
  },
];

export interface Alike {
  readonly name: string;
  /** Rows of all of them. */
  readonly rows: readonly string[];
}

const byMember = new Map(
  classes.flatMap(({ side, members, name }) => {
    const alike: Alike = { name, rows: [...new Set(members.map(([, row]) => row))] };
    return members.map(([label, row]) => [`${side} ${label} ${row}`, alike] as const);
  }),
);

/** What a transition with these rows of its own is told together with; `undefined` for one that can be told from all others. */
export const alikeTo = (side: string, label: string, rows: readonly string[]): Alike | undefined =>
  byMember.get(`${side} ${label} ${rows.join(' ')}`);
