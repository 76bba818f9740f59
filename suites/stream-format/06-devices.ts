/** stream-format.md §6: device sections of an empty machine. */

import type { Trial } from '../../oracle/trial.js';
import { hostClock } from '../../protocol/clock.js';
import {
  decodeGlobalState,
  decodeTimer,
  encodeGlobalState,
  encodeTimer,
} from '../../reference/stream/device-layout.js';
import { fitsExactly, unlessExact } from '../commands/dialect-fit.js';
import { ChapterBuilder } from '../requirement.js';
import { takes } from './accepted-row.js';
import { Captured, capture, captureNeeds } from './capture.js';
import { failNeeds, loadNeeds, refuses } from './loading.js';
import type { Recording } from './recording.js';

/** Milliseconds that one of two guests runs longer, and by which clocks may differ in what they call the same moment. */
const [longer, step] = [400, 20];

const bodyOf = (recording: Recording, idstr: string): Buffer | undefined =>
  recording.sections.find((section) => section.idstr === idstr)?.body;

/** The run state that a stream says its source had. */
function storedState(t: Trial, recording: Recording): string {
  const body = bodyOf(recording, 'globalstate');
  t.check(body?.length === 104, 'a section globalstate of 104 bytes', `${body?.length ?? 'none'}`);
  try {
    return decodeGlobalState(body as Buffer);
  } catch (error) {
    return (error as Error).message;
  }
}

export const devices = new ChapterBuilder(
  ['Migration stream', '6 Device sections'],
  'stream-format.md §6',
  captureNeeds,
)
  .must('MIG-STR-DEV-01', 'an empty machine sends timer and globalstate, each once', async (t) => {
    const [, recording] = await capture(t, { image: null });
    const names = recording.sections.filter(({ type }) => type === 4).map(({ idstr }) => idstr);
    for (const name of ['timer', 'globalstate']) {
      t.same(names.filter((one) => one === name).length, 1, `sections ${name}`);
    }
    if (fitsExactly(t.facts)) t.same(names.join(' '), 'timer globalstate', 'FULL sections');
  })
  .must('MIG-STR-DEV-02', 'timer is version 2 with 24 bytes, the middle 8 unused', async (t) => {
    const [, recording] = await capture(t, { image: null });
    const section = recording.sections.find(({ idstr }) => idstr === 'timer');
    t.same(section?.version, 2, 'version');
    t.same(section?.body.length, 24, 'bytes');
    t.same(section?.body.readBigUInt64BE(8).toString(), '0', 'unused');
  })
  .must('MIG-STR-DEV-02.clock', 'timer counts while the guest runs, its two counters at one rate', async (t) => {
    const rates: number[] = [];
    for (const wait of [0, longer]) {
      const one = await Captured.open(t, { image: null, untouched: true });
      const began = hostClock.now();
      await new Promise<void>((resolve) => hostClock.after(wait, resolve));
      const least = hostClock.now() - began - step;
      await one.migrates();
      await one.completes();
      const { ticks, clock } = decodeTimer(bodyOf(one.recording(), 'timer') ?? Buffer.alloc(0));
      t.check(clock > 0 && clock >= least * 1e6, `at least ${Math.ceil(least)} ms`, `${clock} ns`, 'clock');
      rates.push(ticks / clock);
    }
    const [one = 0, other = 0] = rates;
    const same = Math.abs(one - other) <= 0.03 * Math.max(one, other);
    t.check(same, 'as many ticks a nanosecond in each of two guests', `${one} and ${other}`, 'ticks');
  })
  .must('MIG-STR-DEV-03', 'globalstate says that the guest ran, though it is stopped by then', async (t) => {
    const [, recording] = await capture(t, { image: null });
    t.same(storedState(t, recording), 'running', 'run state');
    t.same(recording.sections.find(({ idstr }) => idstr === 'globalstate')?.version, 1, 'version');
    const body = bodyOf(recording, 'globalstate') as Buffer;
    if (fitsExactly(t.facts)) t.same(body.readUInt32BE(0), 'running'.length + 1, 'size');
    const used = t.dialect.stream.suspendedFlag ? 38 : 11;
    t.check(
      body.subarray(used).every((byte) => byte === 0),
      'zeros behind it',
      body.subarray(used).toString('hex'),
    );
  })
  .must('MIG-STR-DEV-04', 'globalstate says paused of a stopped guest, prelaunch of one never started', async (t) => {
    const stopped = await Captured.open(t, { image: null });
    await stopped.does('stop');
    await stopped.migrates();
    await stopped.completes();
    t.same(storedState(t, stopped.recording()), 'paused', 'run state of a stopped guest');
    const [, recording] = await capture(t, { image: null, start: { paused: true } });
    t.same(storedState(t, recording), 'prelaunch', 'run state of a guest that never ran');
  })
  .must('MIG-STR-DEV-10', 'a destination takes timer in versions 1 and 2', (t) => takes(t, 'MIG-STR-DEV-10'), {
    needs: loadNeeds,
  })
  .must('MIG-STR-DEV-11', 'the size in globalstate is passed over', (t) => takes(t, 'MIG-STR-DEV-11'), {
    needs: { ...loadNeeds, unless: unlessExact },
  })
  .must('MIG-STR-DEV-12', 'a run state other than running is taken over literally', (t) => takes(t, 'MIG-STR-DEV-12'), {
    needs: loadNeeds,
  })
  .must(
    'MIG-STR-DEV-13',
    'a run state that there is not fails the load',
    (t) =>
      refuses(
        t,
        (writer, feed) => {
          feed.begin();
          writer.device(4, 'globalstate', 0, 1, encodeGlobalState(t.dialect.stream, 'bogus'));
          feed.end();
        },
        { lines: [/bogus/, /error while loading state for instance 0x0 of device 'globalstate'/] },
      ),
    { needs: failNeeds },
  )
  .must(
    'MIG-STR-DEV-14',
    'a device subsection that is not known fails the load',
    (t) =>
      refuses(t, (writer, feed) => {
        feed.begin();
        writer.full(3, 'timer', 0, 2);
        writer.out.bytes(encodeTimer(0n, 0n));
        writer.subsection({ name: 'timer/qmpspec', version: 1, body: Buffer.alloc(4) });
        writer.footer();
        feed.end();
      }),
    { needs: failNeeds },
  )
  .done();
