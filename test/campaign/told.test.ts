import { expect } from 'chai';
import { endSymptoms } from '../../campaign/told-ends.js';
import { timeSymptoms } from '../../campaign/told-times.js';
import { type EntryKind, Transcript } from '../../protocol/transcript.js';
import { Schema } from '../../qapi/schema.js';
import { loadSchema } from '../../reference/schema/index.js';

const began = '2018-08-14T00:00:00.000Z';

/** A source that was started and negotiated, and what happened then: milliseconds, kind, text. */
function source(...entries: readonly (readonly [number, EntryKind, string])[]): Transcript {
  const transcript = new Transcript({ began });
  const beginning: typeof entries = [
    [0, 'started', '{}'],
    [1, 'connected', 'unix:somewhere'],
    [2, 'sent', '{"execute":"qmp_capabilities","id":"qs1.1"}\n'],
    [3, 'received', '{"return": {}, "id": "qs1.1"}'],
  ];
  for (const [time, kind, text] of [...beginning, ...entries]) transcript.add('source', kind, text, { time });
  return transcript;
}

const command = (name: string, id: number): string => `{"execute":"${name}","id":"qs1.${id}"}\n`;
const done = (id: number): string => `{"return": {}, "id": "qs1.${id}"}`;

/** An event that says that it was raised so many milliseconds after the beginning. */
function event(name: string, raised: number): string {
  const time = Date.parse(began) + raised;
  const timestamp = { seconds: Math.floor(time / 1000), microseconds: (time % 1000) * 1000 };
  return JSON.stringify({ timestamp, event: name, data: { guest: false } });
}

const rows = (symptoms: readonly { readonly rows: readonly string[] }[]): string =>
  symptoms.map((one) => one.rows).join();

describe('what a target tells of time', () => {
  const later = (raised: number) =>
    source([5000, 'sent', command('stop', 2)], [5001, 'received', done(2)], [5002, 'received', event('STOP', raised)]);

  it('may be off by what adjusts a clock', () => {
    for (const raised of [4000, 5002, 6000]) expect(timeSymptoms(later(raised))).to.deep.equal([]);
  });

  it('is a symptom where it is before what came before, or has not come yet', () => {
    for (const raised of [1, 3000, 7000]) expect(rows(timeSymptoms(later(raised)))).to.equal('QMP-EVT-02');
  });

  it('is none of a process that runs elsewhere', () => {
    const transcript = new Transcript({ began });
    for (const [time, kind, text] of later(3_600_000)
      .entries.slice(1)
      .map((e) => [e.time, e.kind, e.text] as const))
      transcript.add('source', kind, text, { time });
    expect(timeSymptoms(transcript)).to.deep.equal([]);
  });

  const looks = (second: number, between = '') =>
    source(
      [100, 'sent', command('query-migrate', 2)],
      [110, 'received', '{"return": {"status": "active", "total-time": 50}, "id": "qs1.2"}'],
      [300, 'sent', between === '' ? command('query-migrate', 3) : `${between}${command('query-migrate', 3)}`],
      [320, 'received', `{"return": {"status": "active", "total-time": ${second}}, "id": "qs1.3"}`],
    );

  it('goes on in a migration as it does here', () => {
    for (const total of [240, 250, 270]) expect(timeSymptoms(looks(total))).to.deep.equal([]);
    for (const total of [50, 200, 300, 2000]) expect(rows(timeSymptoms(looks(total)))).to.equal('MIG-CMD-QMIG-03');
  });

  it('begins anew where another migration may have begun', () => {
    expect(timeSymptoms(looks(3, '{"execute":"migrate","arguments":{"uri":"x"},"id":"qs1.9"}\n'))).to.deep.equal([]);
  });
});

describe('what only a whole conversation shows', () => {
  it('an end is told before it comes', () => {
    const told = [10, 'received', event('SHUTDOWN', 10)] as const;
    const quit = [9, 'sent', command('quit', 2)] as const;
    const over = [12, 'eof', ''] as const;
    expect(endSymptoms(source(quit, told, [11, 'received', done(2)], over))).to.deep.equal([]);
    expect(endSymptoms(source(quit, [10, 'received', done(2)], told, over))).to.deep.equal([]);
    // It died of something else: that is for others to tell.
    expect(endSymptoms(source(quit, over))).to.deep.equal([]);
    expect(rows(endSymptoms(source(quit, [10, 'received', done(2)], over)))).to.equal('QMP-EVT-12');
    expect(rows(endSymptoms(source(quit, [10, 'received', done(2)], over), loadSchema('3.0')))).to.equal('QMP-EVT-12');
    const withoutGuest = new Schema([]);
    expect(endSymptoms(source(quit, [10, 'received', done(2)], over), withoutGuest)).to.deep.equal([]);
  });

  const pausing = (...after: readonly (readonly [number, EntryKind, string])[]) =>
    source(
      [10, 'sent', command('query-migrate', 2)],
      [11, 'received', '{"return": {"status": "postcopy-active"}, "id": "qs1.2"}'],
      [12, 'sent', command('migrate-pause', 3)],
      [13, 'received', '{"error": {"class": "GenericError", "desc": "no"}, "id": "qs1.3"}'],
      ...after,
    );
  const shows = (status: string): (readonly [number, EntryKind, string])[] => [
    [20, 'sent', command('query-migrate', 4)],
    [21, 'received', `{"return": {"status": "${status}"}, "id": "qs1.4"}`],
  ];

  it('a postcopy that goes on could have been paused', () => {
    expect(rows(endSymptoms(pausing(...shows('postcopy-active'))))).to.equal('MIG-CMD-PAU-01');
  });

  it('one that is over, or has lost its channel, could not', () => {
    expect(endSymptoms(pausing(...shows('completed')))).to.deep.equal([]);
    expect(endSymptoms(pausing([15, 'channel', 'cut'], ...shows('postcopy-active')))).to.deep.equal([]);
  });
});
