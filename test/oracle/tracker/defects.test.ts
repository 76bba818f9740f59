/** What known defects of released monitors permit beyond the model. */
import { expect } from 'chai';
import { begun, capabilityOn, eventsOn, Script } from './script.js';

describe('known defects', () => {
  it('let a migration over data channels fail several times (MIG-DEF-29)', () => {
    const lines = [capabilityOn('multifd'), '< {}', ...begun, 'M failed', 'M failed', '> query-version'];
    const judge = (...defects: string[]) => new Script().lines(...lines).judge('7.2', defects);
    expect(judge('MIG-DEF-29').defects).to.deep.equal(['MIG-DEF-29']);
    expect(judge().kind).to.equal('divergence');
    expect(new Script().lines(...begun, 'M failed', 'M failed').judge('7.2', ['MIG-DEF-29']).kind).to.equal(
      'divergence',
    );
  });

  it('let a second migrate-incoming be announced before it is refused (MIG-DEF-06)', () => {
    const first = ['> migrate-incoming {"uri":"unix:/run/x"}', 'M setup', '< {}'];
    const second = ['> migrate-incoming {"uri":"unix:/run/y"}', 'M setup', '< !GenericError'];
    const judge = (lines: readonly string[], ...defects: string[]) =>
      new Script({ incoming: 'defer' }).lines(eventsOn, '< {}', ...lines).judge('3.0', defects);
    expect(judge([...first, ...second], 'MIG-DEF-06').defects).to.deep.equal(['MIG-DEF-06']);
    expect(judge([...first, ...second]).kind).to.equal('divergence');
    // It is not taken for one that listens.
    expect(judge([...first, ...second.slice(0, -1), '< {}'], 'MIG-DEF-06').kind).to.equal('divergence');
  });

  it('explain a death by tls-authz that is null (MIG-DEF-30)', () => {
    const says =
      "says qemu: migration.c:1537: migrate_params_apply: Assertion `params->tls_authz->type == QTYPE_QSTRING' failed.";
    const judge = (...defects: string[]) =>
      new Script()
        .lines(eventsOn, '< {}', '> migrate-set-parameters {"tls-authz":null}', says, 'die SIGABRT')
        .judge('7.2', defects);
    expect(judge('MIG-DEF-30').defects).to.deep.equal(['MIG-DEF-30']);
    expect(judge().kind).to.equal('divergence');
  });

  it('explain a secondary that aborts as it takes over (MIG-DEF-35)', () => {
    const says =
      "says qemu: memory.c:2989: memory_global_dirty_log_do_stop: Assertion `(global_dirty_tracking & flags) == flags' failed.";
    const judge = (...defects: string[]) =>
      new Script().lines(eventsOn, '< {}', '> x-colo-lost-heartbeat', says, 'die SIGABRT').judge('10.0', defects);
    expect(judge('MIG-DEF-35').defects).to.deep.equal(['MIG-DEF-35']);
    expect(judge().kind).to.equal('divergence');
  });

  it('explain a source that aborts as a data channel comes too late (MIG-DEF-37)', () => {
    const says = "says qemu: ../../util/yank.c:122: yank_register_function: Assertion `entry' failed.";
    const judge = (...defects: string[]) =>
      new Script()
        .lines(capabilityOn('multifd'), '< {}', ...begun, 'M failed', says, 'die SIGABRT')
        .judge('7.2', defects);
    expect(judge('MIG-DEF-37').defects).to.deep.equal(['MIG-DEF-37']);
    expect(judge().kind).to.equal('divergence');
  });

  it('explain a death by a negative allocation (MIG-DEF-25)', () => {
    const says = (bytes: string) => `says monitor: GLib: gmem.c:106: failed to allocate ${bytes} bytes`;
    const judge = (bytes: string, ...defects: string[]) =>
      new Script({ incoming: 'unix:/x' })
        .lines(eventsOn, '< {}', 'M active', says(bytes), 'die SIGTRAP')
        .judge('10.0', defects);
    expect(judge('18446744073692774404', 'MIG-DEF-25').defects).to.deep.equal(['MIG-DEF-25']);
    expect(judge('4096', 'MIG-DEF-25').kind).to.equal('divergence');
    expect(judge('18446744073692774404').kind).to.equal('divergence');
  });

  it('explain a death by a connection that was never registered (MIG-DEF-27)', () => {
    const says = 'says qemu: ../util/yank.c:107: yank_unregister_instance: Assertion `entry` failed.';
    const judge = (...defects: string[]) =>
      new Script({ incoming: 'unix:/x' })
        .lines(eventsOn, '< {}', 'M active', says, 'die SIGABRT')
        .judge('7.2', defects);
    expect(judge('MIG-DEF-27').defects).to.deep.equal(['MIG-DEF-27']);
    expect(judge().kind).to.equal('divergence');
  });

  it('explain a crash of a destination that gives up between LISTEN and RUN (MIG-DEF-33)', () => {
    const lines = [
      '> migrate-set-capabilities {"capabilities":[{"capability":"events","state":true},{"capability":"postcopy-ram","state":true}]}',
      '< {}',
      ...['> migrate-incoming {"uri":"unix:/run/x"}', 'M setup', '< {}', 'M active'],
    ];
    const judge = (told: readonly string[], ...defects: string[]) =>
      new Script({ incoming: 'defer' }).lines(...lines, ...told, 'die SIGSEGV').judge('10.0', defects);
    expect(judge(['M postcopy-active'], 'MIG-DEF-33').defects).to.deep.equal(['MIG-DEF-33']);
    expect(judge(['M postcopy-active']).kind).to.equal('divergence');
    expect(judge(['M postcopy-active', 'R'], 'MIG-DEF-33').kind).to.equal('divergence');
  });

  it('explain a heartbeat that is lost before what an earlier failover left is cleared (MIG-DEF-34)', () => {
    const set =
      '> migrate-set-capabilities {"capabilities":[{"capability":"events","state":true},{"capability":"x-colo","state":true}]}';
    const lines = [set, '< {}', ...begun.slice(2), 'S', 'P 2', 'M colo', '> x-colo-lost-heartbeat', '< !GenericError'];
    const judge = (...defects: string[]) => new Script().lines(...lines).judge('7.2', defects);
    expect(judge('MIG-DEF-34').defects).to.deep.equal(['MIG-DEF-34']);
    expect(judge().kind).to.equal('divergence');
  });

  it('explain a guest that runs again after a cancelled postcopy (MIG-DEF-38)', () => {
    const lines = [
      ...[
        '> migrate-set-capabilities {"capabilities":[{"capability":"events","state":true},{"capability":"postcopy-ram","state":true}]}',
        '< {}',
      ],
      ...[...begun.slice(2), '> migrate-start-postcopy', '< {}', 'M postcopy-active', 'S', 'P 2'],
      ...['> migrate_cancel', 'M cancelling', '< {}'],
    ];
    const judge = (told: readonly string[], ...defects: string[]) =>
      new Script().lines(...lines, ...told, '> query-version').judge('7.2', defects);
    for (const told of [
      ['R', 'M cancelled'],
      ['M cancelled', 'R'],
    ]) {
      expect(judge(told, 'MIG-DEF-38').defects).to.deep.equal(['MIG-DEF-38']);
      expect(judge(told).kind).to.equal('divergence');
    }
    expect(judge(['M cancelled']).kind).to.equal('conforms');
  });

  it('explain a migration that passes COLO over (MIG-DEF-41)', () => {
    const set =
      '> migrate-set-capabilities {"capabilities":[{"capability":"events","state":true},{"capability":"x-colo","state":true}]}';
    const lines = [set, '< {}', ...begun.slice(2), 'S', 'M device', 'P 2', 'M completed'];
    const judge = (...defects: string[]) => new Script().lines(...lines).judge('10.0', defects);
    expect(judge('MIG-DEF-41').defects).to.deep.equal(['MIG-DEF-41']);
    expect(judge().kind).to.equal('divergence');
  });

  it('explain a primary that crashes as it is told to quit after its failover (MIG-DEF-48)', () => {
    const set =
      '> migrate-set-capabilities {"capabilities":[{"capability":"events","state":true},{"capability":"x-colo","state":true}]}';
    const over = ['S', 'P 2', 'M colo', '> x-colo-lost-heartbeat', '< {}', 'M completed', 'R'];
    const judge = (end: readonly string[], ...defects: string[]) =>
      new Script().lines(set, '< {}', ...begun.slice(2), ...over, ...end).judge('3.0', defects);
    const left = ['> quit', '< {}', 'E SHUTDOWN', 'die SIGSEGV'];
    expect(judge(left, 'MIG-DEF-48').defects).to.deep.equal(['MIG-DEF-48']);
    expect(judge(left).kind).to.equal('divergence');
    expect(judge(['> query-version', '< {}', 'die SIGSEGV'], 'MIG-DEF-48').kind).to.equal('divergence');
  });

  it('explain a source that crashes as it is told to pause once more (MIG-DEF-55)', () => {
    const set =
      '> migrate-set-capabilities {"capabilities":[{"capability":"events","state":true},{"capability":"postcopy-ram","state":true}]}';
    const switched = ['> migrate-start-postcopy', '< {}', 'M postcopy-active', 'S', 'P 2'];
    const judge = (end: readonly string[], ...defects: string[]) =>
      new Script().lines(set, '< {}', ...begun.slice(2), ...switched, ...end, 'die SIGSEGV').judge('7.2', defects);
    const again = ['> migrate-pause', '< {}', '> migrate-pause'];
    expect(judge(again, 'MIG-DEF-55').defects).to.deep.equal(['MIG-DEF-55']);
    expect(judge([...again, 'M postcopy-paused'], 'MIG-DEF-55').defects).to.deep.equal(['MIG-DEF-55']);
    expect(judge(again).kind).to.equal('divergence');
    expect(judge(['> migrate-pause', '< {}'], 'MIG-DEF-55').kind).to.equal('divergence');
  });

  it('explain deaths of an 8.2 by what they say (MIG-DEF-39, MIG-DEF-40)', () => {
    for (const [id, says] of [
      ['MIG-DEF-39', "runstate.c:199: runstate_set: Assertion `new_state < RUN_STATE__MAX' failed."],
      ['MIG-DEF-40', "graph-lock.c:1: bdrv_graph_rdlock_main_loop: Assertion `!qemu_in_coroutine()' failed."],
    ] as const) {
      const judge = (...defects: string[]) =>
        new Script().lines(...begun, `says qemu: ${says}`, 'die SIGABRT').judge('7.2', defects);
      expect(judge(id).defects).to.deep.equal([id]);
      expect(judge().kind).to.equal('divergence');
    }
  });

  it('keep a cancel in a paused postcopy as it is, though another end would be due (MIG-DEF-02)', () => {
    const asks = Array.from({ length: 16 }, () => [
      'wait 200',
      '> query-migrate',
      '< {"status":"cancelling","total-time":1,"expected-downtime":300,"setup-time":0,"ram":{}}',
    ]).flat();
    const shown = (status: string) => [
      '> query-migrate',
      `< {"status":"${status}","total-time":1,"expected-downtime":300,"setup-time":0,"ram":{}}`,
    ];
    // Without events nobody tells whether the cancel met the postcopy itself or its pause.
    const lines = [
      ...[
        capabilityOn('postcopy-ram'),
        '< {}',
        '> migrate {"uri":"unix:/run/x"}',
        '< {}',
        '> migrate-start-postcopy',
        '< {}',
      ],
      ...['S', ...shown('postcopy-active'), '> migrate_cancel', '< {}', ...asks, ...asks],
    ];
    const judge = (...defects: string[]) => new Script().lines(...lines).judge('7.2', defects);
    expect(judge('MIG-DEF-02').kind).to.equal('known-defect');
    expect(judge().kind).to.equal('divergence');
  });
});
