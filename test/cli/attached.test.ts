/** A monitor that runs already, and that somebody has left in another state than it began in. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Session } from '../../protocol/session.js';
import { referenceTarget } from '../../targets/executable.js';
import { readSettings } from '../../targets/settings.js';
import { qmpspec } from './process.js';

describe('a monitor that runs already', function () {
  this.timeout(60000);

  it('is judged from the state in which it is found, and put back into it', async () => {
    const target = referenceTarget();
    try {
      const instance = await target.start();
      const settingsOf = async (prepare: (session: Session) => Promise<unknown> = async () => undefined) => {
        const session = await instance.connect();
        await session.negotiate();
        await prepare(session);
        const settings = await readSettings(session);
        session.close();
        return settings;
      };
      const before = await settingsOf(async (session) => {
        const capabilities = ['events', 'xbzrle', 'postcopy-ram'].map((capability) => ({ capability, state: true }));
        await session.command('migrate-set-capabilities', { capabilities });
        await session.command('migrate-set-parameters', { 'max-bandwidth': 12345, 'downtime-limit': 77 });
        await session.command('migrate', { uri: 'qmpspec:none' });
      });
      const { code, stdout } = await qmpspec(
        ...['run', '--target', `unix:${instance.scratch}/qmp1.sock`],
        ...['QMP-ARG-*', 'MIG-CMD-SCAP-*', 'MIG-CMD-SPAR-*'],
      );
      expect(stdout)
        .to.match(/ {2}\d+ requirements: \d+ passed, \d+ not applicable/)
        .and.not.contain('note:');
      expect(code).to.equal(0);
      expect(await settingsOf()).to.deep.equal(before);
    } finally {
      await target.close();
    }
  });

  it('outlives a campaign that is tried on it, and is as it was', async () => {
    const target = referenceTarget();
    const out = mkdtempSync(join(tmpdir(), 'qmpspec-test-'));
    try {
      const instance = await target.start({ paused: true });
      const address = `unix:${instance.scratch}/qmp1.sock`;
      instance.letGo?.();
      const { code, stdout } = await qmpspec(
        ...['fuzz', '--target', address, '--runs', '12', '--seed', '5', '--out', join(out, 'campaign')],
      );
      expect(stdout)
        .to.match(/\n {2}12 cases, \d+ commands/)
        .and.contain('it runs already and is left as it was found');
      expect(code).to.equal(0);
      expect(instance.exit).to.equal(undefined);
      const session = await instance.connect();
      await session.negotiate();
      expect(await session.command('query-status')).to.have.nested.property('value.return.status', 'prelaunch');
      session.close();

      const case1 = join(out, 'case.json');
      const steps = [
        { do: 'start', at: 'source' },
        { do: 'connect', at: 'source' },
        { do: 'command', at: 'source', execute: 'quit' },
      ];
      writeFileSync(case1, JSON.stringify({ scenario: 1, steps }));
      for (const command of ['replay', 'diff']) {
        const refused = await qmpspec(command, case1, '--target', address);
        expect(refused.stderr).to.contain('step 3').and.contain('a monitor that runs already is left as it was found');
        expect(refused.code).to.equal(2);
      }
      const none = await qmpspec('fuzz', '--target', address, '--only', 'walk');
      expect(none.stderr).to.contain('of the sources of cases it can take storm, values');
      expect(none.code).to.equal(2);
      expect(instance.exit).to.equal(undefined);
    } finally {
      await target.close();
      rmSync(out, { recursive: true, force: true });
    }
  });
});
