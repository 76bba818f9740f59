import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { expect } from 'chai';
import { compareSchemas } from '../../../qapi/compare.js';
import { fromIntrospection, toIntrospection } from '../../../qapi/introspection.js';
import type { Schema } from '../../../qapi/schema.js';
import { validatorsFor } from '../../../qapi/validators.js';
import { type DialectName, dialectFor, dialects } from '../../../reference/dialects/dialect.js';
import { loadSchema } from '../../../reference/schema/index.js';

interface Monitor {
  readonly version: { readonly major: number; readonly minor: number };
  readonly schema: unknown;
  readonly status: unknown;
}

/** Starts a QEMU, asks for what the tests need, and ends it. */
async function ask(binary: string): Promise<Monitor> {
  const child = spawn(binary, ['-M', 'none', '-nodefaults', '-display', 'none', '-m', '64M', '-qmp', 'stdio'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  try {
    const failed = new Promise<never>((_resolve, reject) => child.once('error', reject));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const next = async (): Promise<{ QMP?: { version: { qemu: Monitor['version'] } }; return?: unknown }> => {
      const line = await Promise.race([lines.next(), failed]);
      if (line.done) throw new Error(`${binary} ended without an answer`);
      return JSON.parse(line.value);
    };
    const version = (await next()).QMP!.version.qemu;
    const execute = async (execute: string): Promise<unknown> => {
      child.stdin.write(`${JSON.stringify({ execute })}\n`);
      return (await next()).return;
    };
    await execute('qmp_capabilities');
    return { version, schema: await execute('query-qmp-schema'), status: await execute('query-status') };
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

function isInstalled(binary: string | undefined): binary is string {
  if (binary === undefined) return false;
  try {
    execFileSync(binary, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

const binaries: readonly (readonly [string, string | undefined])[] = [
  ['qemu-system-x86_64 on PATH', 'qemu-system-x86_64'],
  ['the binary of QMPSPEC_QEMU_10', process.env.QMPSPEC_QEMU_10],
];

for (const [title, binary] of binaries) {
  describe(`reference schema: against ${title}`, () => {
    let monitor: Monitor;
    let real: Schema;
    let dialect: DialectName;

    before(async function () {
      if (!isInstalled(binary)) {
        if (process.env.QMPSPEC_REQUIRE_QEMU === '1') throw new Error(`${title} is not installed, but required`);
        console.log(`    skipped: ${title} is not installed`);
        this.skip();
      }
      monitor = await ask(binary);
      const nearest = dialectFor(monitor.version);
      if (nearest.dialect !== dialects[nearest.dialect.name]) {
        console.log(`    skipped: there is no dialect for QEMU ${monitor.version.major}.${monitor.version.minor}`);
        this.skip();
      }
      dialect = nearest.dialect.name;
      real = fromIntrospection(monitor.schema);
    });

    it('every command and event of the dialect is defined as the monitor defines it', () => {
      const mine = loadSchema(dialect);
      const only = new Set([...mine.commands.keys(), ...mine.events.keys()]);
      expect(compareSchemas(mine, real, { only })).to.deep.equal([]);
      expect(compareSchemas(real, mine, { only })).to.deep.equal([]);
    });

    it('its whole schema survives the way through the model', () => {
      const again = fromIntrospection(toIntrospection(real, { features: true }));
      expect(again.commands.size).to.equal(real.commands.size);
      expect(compareSchemas(real, again)).to.deep.equal([]);
      expect(compareSchemas(again, real)).to.deep.equal([]);
    });

    it('its answers are valid by its own schema and by that of the dialect', () => {
      for (const schema of [real, loadSchema(dialect)]) {
        const validators = validatorsFor(schema);
        expect(validators.returns('query-qmp-schema')(monitor.schema)).to.deep.equal([]);
        expect(validators.returns('query-status')(monitor.status)).to.deep.equal([]);
      }
    });
  });
}
