/** Exit codes of `qmpspec run` and everything that ends like it. The README prints this table. */
export const exitCodes = {
  conforms: 0,
  divergences: 1,
  usage: 2,
  target: 3,
  nothingSelected: 4,
  inconclusive: 5,
  brokenStream: 6,
  planNotMet: 7,
  vacuous: 8,
  storage: 9,
  expectations: 10,
  internal: 70,
  interrupted: 130,
} as const;

export const exitMeanings: Readonly<Record<keyof typeof exitCodes, string>> = {
  conforms: 'everything that was run conforms',
  divergences: 'at least one requirement failed',
  usage: 'an option, a selector or the config file is wrong',
  target: 'the target could not be run, or died and could not be started again',
  nothingSelected: 'nothing was selected, or nothing of the selection applies to the target',
  inconclusive: 'nothing failed, but of at least one requirement nothing can be said',
  brokenStream: 'the event stream is empty or cut off',
  planNotMet: 'fewer or more requirements were reported than were planned',
  vacuous: 'a requirement ended without checking anything',
  storage: 'a file could not be written, for example because the disk is full',
  expectations: 'nothing failed, but the expectations file no longer fits: fixed, expired or unmatched entries',
  internal: 'a fault of this program',
  interrupted: 'ended by Ctrl-C',
};
