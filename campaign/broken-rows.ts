/** Which requirement a source breaks whose stream is not as it should be, told from the words of who reads it. */

/** The first that fits; words that the reader of a stream and the checks on it have (`oracle/peer/`, `reference/stream/`). */
const rows: readonly (readonly [words: RegExp, row: string])[] = [
  // What can be read, and no source sends.
  [/the page at .* is not what the guest has there \(multifd/, 'MIG-MFD-PKT-01'],
  [/UUID .* of a machine that has/, 'MIG-MFD-INIT-02'],
  [/a greeting has .* in reserve/, 'MIG-MFD-INIT-03'],
  [/have the numbers|have the same number|has a number below/, 'MIG-MFD-PKT-07'],
  [/a packet has .* (?:in reserve|behind its name)|a packet without pages has/, 'MIG-MFD-PKT-08'],
  [/\(multifd §1\)/, 'MIG-MFD-INIT-01'],
  [/packets with SYNC on a data channel/, 'MIG-MFD-SYNC-01'],
  [/a packet has flags/, 'MIG-MFD-FLAG-01'],
  [/failed to receive packet via multifd channel/, 'MIG-MFD-INIT-01'],
  [/multifd: offset/, 'MIG-MFD-PKT-01'],
  [/\(multifd §/, 'MIG-MFD-PKT-04'],
  [/is not what the guest has there/, 'MIG-STR-RAM-02'],
  [/of an all-zero page|ZERO record with fill byte/, 'MIG-STR-RAM-04'],
  [/the first page behind the switch/, 'MIG-STR-PC-05'],
  [/the first page of a recovery/, 'MIG-STR-PC-20'],
  [/names its block once more/, 'MIG-STR-RAM-05'],
  [/comes twice in one section|never came/, 'MIG-STR-RAM-03'],
  [/comes after the switch, and was not discarded|discard of \d+ ranges|the discard of .* goes back/, 'MIG-STR-PC-03'],
  [/was asked for, and others come instead/, 'MIG-STR-PC-07'],
  [/the package has no PING/, 'MIG-STR-PC-01'],
  [/the package has no section/, 'MIG-STR-PC-06'],
  [/the stream has no section/, 'MIG-STR-DEV-01'],
  [/globalstate says .* of a guest that was running/, 'MIG-STR-DEV-03'],
  [/globalstate says/, 'MIG-STR-DEV-04'],
  [/advise of RAM page sizes/, 'MIG-STR-CMD-03'],
  [/PING without a return path|the first PING is|ENABLE_COLO behind/, 'MIG-STR-CMD-02'],
  [/vmdescription of \d+ bytes, but/, 'MIG-STR-VMD-01'],
  [/vmdescription/, 'MIG-STR-VMD-02'],
  [/empty delta/, 'MIG-XBZ-REC-03'],
  [/malformed delta|XBZRLE/, 'MIG-XBZ-REC-01'],
  [/the compressed page .* level/, 'MIG-STR-ZIP-02'],
  [/the compressed page|compressed (?:length|page)/, 'MIG-STR-ZIP-01'],
  // What cannot be read: the place, the section or command, and the field.
  [/^offset \S+: header: /, 'MIG-STR-HDR-01'],
  [/^offset \S+: (?:configuration: )?UUID/, 'MIG-STR-HDR-04'],
  [/^offset \S+: configuration: (?:subsection|capability|page bits)/, 'MIG-STR-HDR-03'],
  [/^offset \S+: configuration: /, 'MIG-STR-HDR-02'],
  // A body of another length than it has to have is followed by no footer.
  [/: timer(?: |: )/, 'MIG-STR-DEV-02'],
  [/: globalstate: /, 'MIG-STR-DEV-03'],
  [/: footer/, 'MIG-STR-SEC-04'],
  [/: section id/, 'MIG-STR-SEC-02'],
  [/: ram: version id/, 'MIG-STR-SEC-03'],
  [/: ram: (?:page size of|used length of|total)/, 'MIG-STR-RAM-01'],
  [/: ram: fill byte/, 'MIG-STR-RAM-04'],
  [/: ram: block name: expected a known block/, 'MIG-STR-RAM-01'],
  [/: ram: block name/, 'MIG-STR-RAM-05'],
  [/: package/, 'MIG-STR-PC-06'],
  // Without an advice nothing may be discarded.
  [/: POSTCOPY_ADVISE|: POSTCOPY_RAM_DISCARD: postcopy stat/, 'MIG-STR-CMD-03'],
  [/: (?:POSTCOPY_RAM_DISCARD|PACKAGED|POSTCOPY_LISTEN|POSTCOPY_RUN)/, 'MIG-STR-PC-01'],
  [/: (?:RECV_BITMAP|POSTCOPY_RESUME)/, 'MIG-STR-PC-20'],
  [/: (?:OPEN_RETURN_PATH|PING)/, 'MIG-STR-CMD-02'],
];

/** Anything else is out of the order of a stream. */
const order = 'MIG-STR-SEC-01';

/** What a machine was fed and did not put where it belongs, the part by which it is known first. */
const fed: readonly (readonly [part: RegExp, row: string])[] = [
  [/\bdiscard\b/, 'MIG-STR-PC-31'],
  [/\bdelta\b/, 'MIG-XBZ-DEC-01'],
  [/\bcompressed\b/, 'MIG-STR-ZIP-10'],
  [/\bfilled\b/, 'MIG-STR-RAM-27'],
  [/\bpages\b/, 'MIG-STR-RAM-21'],
  [/\bdata\b/, 'MIG-STR-RAM-20'],
];

/** @param parts of the stream that the sender was fed before; empty where it was fed none */
export function brokenRowOf(why: string, parts: string): string {
  const row = brokenRow(why);
  return (row === 'MIG-STR-RAM-02' ? fed.find(([part]) => part.test(parts))?.[1] : undefined) ?? row;
}

/** @param why as the facts of a channel tell it, behind `the stream is not as it should be` or `cannot be read` */
export const brokenRow = (why: string): string => rows.find(([words]) => words.test(why))?.[1] ?? order;
