import { expect } from 'chai';
import { brokenRow, brokenRowOf } from '../../campaign/broken-rows.js';

describe('the requirement that a stream breaks', () => {
  for (const [why, row] of [
    ['offset 0x4: header: version: expected 3, got 2 (Operation not supported)', 'MIG-STR-HDR-01'],
    ["offset 0x9: configuration: machine name: expected 'none', got 'x' (Invalid argument)", 'MIG-STR-HDR-02'],
    ['offset 0x99: ram: footer mark: expected 0x7e, got 0x01 (Invalid argument)', 'MIG-STR-SEC-04'],
    ['offset 120: the page at 0x1000 is not what the guest has there (stream-format §5)', 'MIG-STR-RAM-02'],
    ['offset 120: the page at 0x1000 is not what the guest has there (multifd §2)', 'MIG-MFD-PKT-01'],
    ['offset 120: a greeting has 5a5a in reserve (multifd §1)', 'MIG-MFD-INIT-03'],
    ['offset 120: 12 packets have the numbers 1 to 12 (multifd §2)', 'MIG-MFD-PKT-07'],
    ['offset 120: two packets have the same number (multifd §2)', 'MIG-MFD-PKT-07'],
    ['offset 120: a packet has 5a behind its name (multifd §2)', 'MIG-MFD-PKT-08'],
    ['offset 120: a packet without pages has 5a where all is zero (multifd §2)', 'MIG-MFD-PKT-08'],
    ['offset 120: timer counts 0 and 1 of a guest that never ran (stream-format §6.1)', 'MIG-STR-DEV-02'],
    ['offset 120: malformed delta for the page at 0x1000 (xbzrle §2)', 'MIG-XBZ-REC-01'],
    ['offset 120: globalstate says paused of a guest that was running (stream-format §6.1)', 'MIG-STR-DEV-03'],
    ['offset 0x99: item type: expected an item, got 9 (Invalid argument)', 'MIG-STR-SEC-01'],
  ] as const)
    it(`is ${row} of: ${why}`, () => expect(brokenRow(why)).to.equal(row));

  it('is the one about loading where the sender was fed', () => {
    const why = 'offset 120: the page at 0x1000 is not what the guest has there (stream-format §5)';
    expect(brokenRowOf(why, '')).to.equal('MIG-STR-RAM-02');
    expect(brokenRowOf(why, 'header configuration ram data delta ram-end end')).to.equal('MIG-XBZ-DEC-01');
    expect(brokenRowOf('offset 0x99: ram: footer mark', 'ram data')).to.equal('MIG-STR-SEC-04');
  });
});
