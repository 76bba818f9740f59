import { expect } from 'chai';
import { brief, connected, type Received } from './harness.js';

const briefs = (messages: Received[]) => messages.map(brief);

for (const dialect of ['3.0', '7.2', '10.0'] as const) {
  const strict = dialect !== '3.0';
  const around = (event: string) => (strict ? [`E:${event}`, 'R'] : ['R', `E:${event}`]);

  describe(`Events and replies in order, run states, dialect ${dialect}`, () => {
    const args = ['--dialect', dialect];

    it('QMP-EVT-07..11: where the event stands', async () => {
      const { first, stop } = await connected({ args });
      expect(briefs(await first.command('cont'))).to.deep.equal(['R']);
      expect(briefs(await first.command('stop'))).to.deep.equal(['E:STOP', 'R']);
      expect(briefs(await first.command('stop'))).to.deep.equal(['R']);
      expect(briefs(await first.command('cont'))).to.deep.equal(['E:RESUME', 'R']);
      expect(briefs(await first.command('system_powerdown'))).to.deep.equal(around('POWERDOWN'));
      const both = '{"execute":"system_reset"}{"execute":"query-status"}';
      expect(briefs(await first.send(both))).to.deep.equal([...around('RESET'), 'R']);
      const human = await first.command('human-monitor-command', { 'command-line': 'stop' });
      expect(briefs(human)).to.deep.equal(['E:STOP', 'R']);
      await stop();
    });

    it('QMP-EVT-12, QMP-EVT-14, QMP-D-43: quit, and nothing behind it', async () => {
      const { first, client, exit } = await connected({ args });
      const other = client();
      await other.command('qmp_capabilities');
      const messages = await first.send('{"execute":"quit"}{"execute":"query-name"}');
      expect(briefs(messages)).to.deep.equal(around('SHUTDOWN'));
      const shutdown = messages.find((message) => message.event === 'SHUTDOWN');
      expect(shutdown?.data).to.deep.equal(strict ? { guest: false, reason: 'host-qmp-quit' } : { guest: false });
      expect(briefs(await other.received())).to.deep.equal(['E:SHUTDOWN']);
      expect([first.ended, other.ended, exit.status]).to.deep.equal([true, true, 0]);
    });

    it('QMP-EVT-13: a signal', async () => {
      const { first, program, exit } = await connected({ args });
      program.terminate();
      expect(briefs(await first.received())).to.deep.equal(['E:SHUTDOWN']);
      expect([first.ended, exit.status]).to.deep.equal([true, 0]);
    });

    it('QMP-EVT-04, QMP-EVT-05, QMP-NEG-15: to every negotiated monitor, with one timestamp, and kept for nobody', async () => {
      const { first, client, stop } = await connected({ args });
      const second = client();
      const late = client();
      await second.command('qmp_capabilities');
      await late.received();
      const [here] = await first.command('stop');
      const there = await second.received();
      expect(there).to.deep.equal([here]);
      expect(here).to.have.keys('event', 'timestamp');
      expect(await late.received()).to.deep.equal([]);
      expect(briefs(await late.command('qmp_capabilities'))).to.deep.equal(['R']);
      await stop();
    });

    it('QMP-BASE-06, QMP-D100-01: query-status', async () => {
      const { first, stop } = await connected({ args: [...args, '-S'] });
      const [reply] = await first.command('query-status');
      const shown = { status: 'prelaunch', running: false };
      expect(reply?.return).to.deep.equal(dialect === '10.0' ? shown : { ...shown, singlestep: false });
      await stop();
    });

    it('QMP-RUN-01..06, QMP-RUN-23: what reset and cont do in each state', async () => {
      const { first, program, stop } = await connected({ args });
      const { machine } = program;
      await first.command('system_reset');
      expect(machine.runState).to.equal('running');
      await first.command('stop');
      await first.command('system_reset');
      expect(machine.runState).to.equal('prelaunch');
      machine.setRunState('finish-migrate');
      await first.command('system_reset');
      expect(machine.runState).to.equal('finish-migrate');
      expect(briefs(await first.command('stop'))).to.deep.equal(['R']);
      expect(briefs(await first.command('cont'))).to.deep.equal(['Migration is not finalized yet']);
      machine.setRunState('postmigrate');
      const [status] = await first.command('human-monitor-command', { 'command-line': 'info status' });
      expect(status?.return).to.equal('VM status: paused (postmigrate)\r\n');
      expect(briefs(await first.command('cont'))).to.deep.equal(['E:RESUME', 'R']);
      expect(() => machine.setRunState('postmigrate')).to.throw("'running' -> 'postmigrate'");
      await stop();
    });

    it('QMP-RUN-04, QMP-RUN-19: waiting for a migration', async () => {
      const { first, program, stop } = await connected({ args: [...args, '-incoming', 'defer'] });
      expect(program.machine.runState).to.equal('inmigrate');
      expect(briefs(await first.command('stop'))).to.deep.equal(['R']);
      expect(program.machine.autostart).to.equal(false);
      expect(briefs(await first.command('cont'))).to.deep.equal(['R']);
      expect(program.machine.autostart).to.equal(true);
      await first.command('system_reset');
      expect(program.machine.runState).to.equal('inmigrate');
      expect(briefs(await first.command('dump-guest-memory', { paging: false, protocol: 'file:x' }))).to.deep.equal([
        'Dump not allowed during incoming migration.',
      ]);
      await stop();
    });

    it('QMP-RUN-24, QMP-RUN-25, QMP-D-60, QMP-D-61: preconfig', async () => {
      const { first, program, stop } = await connected({ args: [...args, '--preconfig'] });
      expect(program.machine.runState).to.equal(strict ? 'prelaunch' : 'preconfig');
      expect(briefs(await first.command('query-status'))).to.deep.equal(['R']);
      const refusal = strict
        ? "The command 'stop' is permitted only after machine initialization has completed"
        : "The command 'stop' isn't permitted in 'preconfig' state";
      expect(briefs(await first.command('stop'))).to.deep.equal([refusal]);
      const events = await first.command('x-exit-preconfig');
      expect(briefs(events)).to.have.members(['R', 'E:RESET', 'E:RESUME']);
      if (!strict) expect(briefs(events)).to.deep.equal(['R', 'E:RESET', 'E:RESUME']);
      expect(briefs(await first.command('x-exit-preconfig'))).to.deep.equal([
        strict
          ? 'The command is permitted only before machine initialization'
          : "The command is permitted only in 'preconfig' state",
      ]);
      await stop();
    });

    it('QMP-BASE-03..05, QMP-BASE-11..13, QMP-ERR-03, QMP-FD-04..14: generic commands', async () => {
      const { first, stop } = await connected({ args });
      const rows: [string, object, string][] = [
        ['getfd', { fdname: 'a' }, 'No file descriptor supplied via SCM_RIGHTS'],
        ['add-fd', {}, 'No file descriptor supplied via SCM_RIGHTS'],
        ['closefd', { fdname: 'm' }, "File descriptor named 'm' not found"],
        ['remove-fd', { 'fdset-id': 77 }, "File descriptor named 'fdset-id:77' not found"],
        ['remove-fd', { 'fdset-id': 5, fd: 9999 }, "File descriptor named 'fdset-id:5, fd:9999' not found"],
        ['balloon', { value: 1 }, 'DeviceNotActive: No balloon device has been activated'],
        ['device_del', { id: 'x' }, "DeviceNotFound: Device 'x' not found"],
        ['qom-get', { path: '/nope', property: 'x' }, "DeviceNotFound: Device '/nope' not found"],
        [
          'human-monitor-command',
          { 'command-line': 'info status', 'cpu-index': 0 },
          "Parameter 'cpu-index' expects a CPU number",
        ],
        ['system_wakeup', {}, strict ? 'wake-up from suspend is not supported by this guest' : 'R'],
        ['query-events', {}, strict ? 'CommandNotFound: The command query-events has not been found' : 'R'],
      ];
      for (const [name, given, expected] of rows)
        expect(briefs(await first.command(name, given)), name).to.deep.equal([expected]);
      const human = async (line: string) =>
        (await first.command('human-monitor-command', { 'command-line': line }))[0]?.return;
      expect(await human('nope')).to.equal("unknown command: 'nope'\r\n");
      expect(await human('')).to.equal('');
      const names = (await first.command('query-commands'))[0]?.return as { name: string }[];
      const schema = (await first.command('query-qmp-schema'))[0]?.return as { 'meta-type': string; name: string }[];
      const introspected = schema.filter((entity) => entity['meta-type'] === 'command').map(({ name }) => name);
      expect(introspected).to.include.members(names.map(({ name }) => name));
      await stop();
    });
  });
}

describe('QMP-BASE-04', () => {
  it('lists 41 events in the baseline', async () => {
    const { first, stop } = await connected();
    expect((await first.command('query-events'))[0]?.return).to.have.length(41);
    await stop();
  });
});
