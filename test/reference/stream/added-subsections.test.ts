import { expect } from 'chai';
import { MachineChecks } from '../../../oracle/peer/machine-checks.js';
import { streamRules } from '../../../reference/dialects/stream.js';
import { StreamReader } from '../../../reference/stream/stream-reader.js';
import { hex, load, machine } from './builder.js';

/** What a machine that counts instructions adds to its clock: type, name, version 1, two be64. */
const added = Buffer.concat([hex('05 0c'), Buffer.from('timer/icount'), hex('00000001'), Buffer.alloc(16, 1)]);
const dialect = '7.2';
const rules = streamRules[dialect];
const stream = (subsections: Buffer): Buffer =>
  machine(dialect, (writer) => {
    writer.full(1, 'timer', 0, 2);
    writer.out.bytes(Buffer.alloc(24));
    writer.out.bytes(subsections);
    writer.footer();
    writer.eof();
    writer.vmdescription('{}');
  });

describe('a subsection of a device whose fields are known', () => {
  it('is part of its body where the machine that sends is not known, in whatever pieces it comes', () => {
    const bytes = stream(added);
    for (const size of [1, 7, bytes.length]) {
      const bodies: number[] = [];
      const reader = new StreamReader({ rules }, { device: (_, body) => bodies.push(body.length) });
      for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
      reader.end();
      expect(reader.status).to.equal('complete');
      expect(bodies).to.deep.equal([24 + added.length]);
    }
  });

  it('fails the load of a machine that has none', () => {
    expect(load(dialect, stream(added)).reason).not.to.equal('complete');
    expect(load(dialect, stream(Buffer.alloc(0))).reason).to.equal('complete');
  });

  it('is told of where the machine that sends is known to have none', () => {
    const told = (length: number, known: boolean) => {
      const reports: string[] = [];
      const checks = new MachineChecks(
        rules,
        (_, text) => reports.push(text),
        () => (known ? { uuid: Buffer.alloc(16) } : undefined),
      );
      const section = { type: 4, id: 1, idstr: 'timer', instance: 0, version: 2, offset: 0, depth: 0 };
      checks.device(section as never, Buffer.alloc(length));
      return reports.length;
    };
    expect([told(24, true), told(60, true), told(60, false)]).to.deep.equal([0, 1, 0]);
  });
});
