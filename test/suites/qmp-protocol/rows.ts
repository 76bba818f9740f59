/** Rows of the tables of qmp-protocol.md, by family: `1-3 7` stands for 01, 02, 03 and 07. */
const families: Readonly<Record<string, string>> = {
  TRANS: '1-17',
  GREET: '1-9',
  NEG: '1-15',
  CMD: '1-12',
  REPLY: '1-10',
  ERR: '1-6',
  OUT: '1-6',
  LEX: '1-16',
  GRP: '1-4',
  PARSE: '1-7',
  STR: '1-5',
  NUM: '1-2',
  LIM: '1-6',
  ARG: '1-24 30-36',
  EVT: '1-17 20-33',
  CONN: '1-10',
  FLOW: '1-4',
  OOB: '1-14',
  BASE: '1-15 20-21',
  FD: '1-15',
  RUN: '1-6 10-26',
  BUG: '1-6',
  D: '1-11 20-31 40-49 60-64',
  D72: '1-3',
  D100: '1-9',
};

const numbers = (ranges: string): number[] =>
  ranges.split(' ').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });

/** Every id, for example `QMP-NEG-01`. */
export const rows: readonly string[] = Object.entries(families).flatMap(([family, ranges]) =>
  numbers(ranges).map((number) => `QMP-${family}-${String(number).padStart(2, '0')}`),
);
