/** Deltas that a destination takes. */

const hex = (text: string): Buffer => Buffer.from(text.replace(/\s/g, ''), 'hex');

/** The delta, what it changes in words, and what it does to a page of `a`. */
export const goodDeltas: readonly (readonly [string, string, (page: Buffer) => void])[] = [
  ['', 'nothing at all', () => undefined],
  ['000141', 'the first byte', (page) => page.fill(0x41, 0, 1)],
  ['80000141', 'a length of 0 in two bytes', (page) => page.fill(0x41, 0, 1)],
  ['ff1f0142', 'the last byte', (page) => page.fill(0x42, 4095)],
  ['0001 43 fe1f 01 44', 'the first and the last byte', (page) => page.fill(0x43, 0, 1).fill(0x44, 4095)],
  ['7f0145', 'behind the longest run of one length byte', (page) => page.fill(0x45, 127, 128)],
  ['80010146', 'behind the shortest run of two length bytes', (page) => page.fill(0x46, 128, 129)],
  [
    '6404 11223344 b81e 0155',
    'the worked example',
    (page) => hex('11223344').copy(page, 100) && page.fill(0x55, 4000, 4001),
  ],
];
