/** A monitor that runs already, and that somebody has left in another state than it began in. */
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
});
