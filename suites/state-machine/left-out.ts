/** Rows of state-machine.md that no requirement states, each with the reason. A test compares this with the chapters. */
export const leftOut: Readonly<Record<string, string>> = {
  'MIG-SM-E02': 'a licence for checkers, not a duty of monitors: the stories of cancels permit the swap',
  'MIG-SM-E06': 'a licence for checkers: requirements wait for the run state before they go on',
  'MIG-SM-K02': 'tells how to hold a state: the peers of the other requirements do it',
  'MIG-SM-O11':
    'a return path that cannot be opened, or multifd that cannot be set up, cannot be brought about from outside',
  'MIG-SM-O55': 'a start of postcopy that fails before the package takes luck to be brought about from outside',
  'MIG-SM-O62': 'an error of postcopy that is no I/O error cannot be brought about from outside',
  'MIG-SM-O86': 'undefined in the baseline, and different in every later release',
};

/** Rows that a requirement with another id states as well. */
export const statedElsewhere: Readonly<Record<string, string>> = {
  'MIG-SM-R09': 'MIG-SM-R08',
};
