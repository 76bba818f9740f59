/** Reads the symptoms out of what happened in a scenario. The first is what it is filed under. */

import { tellsOfDropped } from '../oracle/dropped.js';
import type { Trouble } from '../oracle/execute.js';
import type { Judge, Judgement } from '../oracle/judge.js';
import { defectOfCrash } from '../oracle/known-defects.js';
import { streamFault } from '../oracle/stream-fault.js';
import { isObject, type JsonObject } from '../protocol/json.js';
import { type Entry, entryValue, type Transcript } from '../protocol/transcript.js';
import type { Schema } from '../qapi/schema.js';
import type { Dialect } from '../reference/dialects/dialect.js';
import { answeredSymptoms } from './answered.js';
import { betweenSymptoms } from './between.js';
import { brokenRowOf } from './broken-rows.js';
import { countedSymptoms } from './counted.js';
import { withFewBytes } from './few-bytes.js';
import { formSymptoms } from './form.js';
import { withKnownStreams } from './known-streams.js';
import { wordsOfDeath } from './last-words.js';
import { withLeftOpen } from './left-open.js';
import { loadedSymptoms } from './loaded.js';
import { withOddInput } from './odd-input.js';
import { ofItselfSymptoms } from './of-itself.js';
import { offSchemaSymptoms } from './off-schema.js';
import { plainSymptoms } from './plain-answers.js';
import { withPutOff } from './put-off.js';
import { recoveredSymptoms } from './recovered.js';
import { releasedSymptoms } from './released.js';
import { stuckSymptoms } from './stuck.js';
import { type Symptom, withoutFigures } from './symptom.js';
import { endSymptoms } from './told-ends.js';
import { placeSymptoms } from './told-places.js';
import { speedSymptoms } from './told-speed.js';
import { timeSymptoms } from './told-times.js';

export interface Evidence {
  readonly transcript: Transcript;
  readonly judgement: Judgement;
  readonly troubles: readonly Trouble[];
  readonly judge: Judge;
  /** What the processes of the scenario wrote to standard error. */
  readonly stderr: string;
  /** Known defects of the target's release. */
  readonly defects: ReadonlySet<string>;
  /** Its release has a dialect of its own: of another one the stream may have what nobody here knows. */
  readonly streamKnown: boolean;
  /** What the target itself says that its commands return; absent where it does not. */
  readonly schema?: Schema;
  /** Whether it said that it runs in single steps when it was asked what it is; absent where it did not say. */
  readonly singlestep?: boolean;
  readonly dialect: Dialect;
}

export function diagnose(evidence: Evidence): Symptom[] {
  const { judgement, transcript } = evidence;
  const symptoms: Symptom[] = [];
  const deaths = deathSymptoms(evidence);
  if (judgement.kind === 'known-defect') symptoms.push(...knownSymptoms(evidence));
  else symptoms.push(...deaths);
  // A death is in the eyes of the judge a divergence, too: it is told once.
  const died = deaths.some(({ entry }) => entry !== undefined && entry === judgement.divergence?.entry);
  if (judgement.divergence !== undefined && !died) symptoms.unshift(divergenceSymptom(evidence));
  symptoms.push(
    ...garbageSymptoms(evidence),
    ...formSymptoms(transcript),
    ...unreadableSymptoms(evidence),
    ...hangSymptoms(evidence),
  );
  if (symptoms.length === 0) symptoms.push(...stuckSymptoms(evidence));
  if (symptoms.length === 0)
    symptoms.push(
      ...timeSymptoms(transcript),
      ...endSymptoms(transcript, evidence.schema),
      ...speedSymptoms(transcript),
      ...placeSymptoms(transcript),
    );
  if (symptoms.length === 0 && evidence.streamKnown)
    symptoms.push(
      ...loadedSymptoms(transcript, evidence.judge, evidence.dialect),
      ...answeredSymptoms(transcript, evidence.dialect),
      ...recoveredSymptoms(transcript),
      ...betweenSymptoms(transcript),
      ...countedSymptoms(transcript, evidence.judge, evidence.dialect),
      ...releasedSymptoms(transcript),
    );
  if (symptoms.length === 0 && evidence.schema !== undefined)
    symptoms.push(
      ...offSchemaSymptoms(transcript, evidence.schema),
      ...ofItselfSymptoms(transcript, evidence.schema, evidence.singlestep),
      ...plainSymptoms(transcript, evidence.schema, evidence.dialect),
    );
  const { defects } = evidence;
  const told = withKnownStreams(withLeftOpen(symptoms, transcript, defects), defects);
  return withOddInput(withPutOff(withFewBytes(told, transcript, defects), defects), transcript, defects);
}

/** What was seen, without what differs from run to run. */
function divergenceSymptom({ judgement, transcript }: Evidence): Symptom {
  const { divergence } = judgement;
  if (divergence === undefined) throw new Error('there is no divergence');
  const entry = transcript.entries[divergence.entry];
  return {
    kind: 'divergence',
    subject: entry === undefined ? divergence.got : subjectOf(entry, transcript),
    rows: [...new Set(divergence.permitted.flatMap(({ rows }) => rows))],
    state: divergence.states[0] ?? '',
    expected: divergence.permitted.map(({ words }) => words),
    got: divergence.got,
    entry: divergence.entry,
  };
}

/** `event MIGRATION failed`, `success of cont`, `GenericError of migrate`. */
function subjectOf(entry: Entry, transcript: Transcript): string {
  const value = entryValue(entry);
  if (!isObject(value)) return entry.kind === 'exited' ? entry.text : 'something that is no message';
  if ('event' in value) {
    const status = isObject(value.data) && typeof value.data.status === 'string' ? ` ${value.data.status}` : '';
    return `event ${String(value.event)}${status}`;
  }
  const command = commandOf(entry, value.id, transcript);
  if ('error' in value) return `${isObject(value.error) ? String(value.error.class) : 'error'} of ${command}`;
  const status = isObject(value.return) && typeof value.return.status === 'string' ? ` (${value.return.status})` : '';
  return `success of ${command}${status}`;
}

/** Name of the command that a reply answers. */
function commandOf(reply: Entry, id: unknown, transcript: Transcript): string {
  for (let n = reply.n - 1; n >= 0; n--) {
    const entry = transcript.entries[n];
    if (entry?.kind !== 'sent' || entry.at !== reply.at) continue;
    for (const line of entry.text.split('\n')) {
      if (typeof id === 'string' && !line.includes(JSON.stringify(id))) continue;
      const name = /"exec(?:ute|-oob)":"([^"]*)"/.exec(line)?.[1];
      if (name !== undefined) return name;
    }
  }
  return 'a message';
}

function knownSymptoms({ judgement, judge, transcript }: Evidence): Symptom[] {
  const last = transcript.entries.findLast(({ kind }) => kind === 'exited' || kind === 'received');
  return (judgement.defects ?? []).map((defect) => ({
    kind: 'known-defect',
    subject: last?.kind === 'exited' ? last.text : 'what no other explanation is left for',
    rows: [defect],
    state: judge.states('source').length === 0 ? '' : 'as the defect says',
    expected: ['what the specification says'],
    got: last?.text.slice(0, 200) ?? '',
    defect,
  }));
}

/** Ends of processes that nobody asked for, and reports of sanitizers while it goes on. */
function deathSymptoms({ transcript, judgement, stderr, defects }: Evidence): Symptom[] {
  const words = wordsOfDeath(stderr);
  const symptoms: Symptom[] = [];
  for (const entry of transcript.entries) {
    if (entry.kind !== 'exited' || /SIGKILL/.test(entry.text)) continue;
    const diverged = judgement.divergence?.entry === entry.n;
    const bySignal = /killed by/.test(entry.text);
    if (!diverged && !bySignal) continue;
    const known = defectOfCrash(stderr, defects)?.id ?? (diverged ? undefined : judgement.defects?.[0]);
    symptoms.push({
      kind: known === undefined ? 'crash' : 'known-defect',
      subject: bySignal ? entry.text.replace('killed by', 'death by') : `end with ${entry.text}`,
      rows: diverged ? [...new Set(judgement.divergence?.permitted.flatMap(({ rows }) => rows))] : [],
      state: diverged ? (judgement.divergence?.states[0] ?? '') : '',
      ...(words === undefined ? {} : { lastWords: words }),
      expected: diverged ? (judgement.divergence?.permitted.map((one) => one.words) ?? []) : ['a living process'],
      got: entry.text,
      entry: entry.n,
      ...(known === undefined ? {} : { defect: known }),
    });
  }
  if (symptoms.length === 0 && words !== undefined && /Sanitizer|runtime error/.test(words)) {
    symptoms.push({
      kind: 'crash',
      subject: 'report of a sanitizer',
      rows: [],
      state: '',
      lastWords: words,
      expected: ['nothing of that kind on standard error'],
      got: words,
    });
  }
  return symptoms;
}

/** A greeting without what every greeting has (QMP-GREET-01). */
function isPoorGreeting(value: JsonObject): boolean {
  if (!('QMP' in value)) return false;
  const { QMP: greeting } = value;
  return !isObject(greeting) || !isObject(greeting.version) || !Array.isArray(greeting.capabilities);
}

/** Output that is not JSON, or JSON that is no message of the protocol. */
function garbageSymptoms({ transcript }: Evidence): Symptom[] {
  for (const [n, entry] of transcript.entries.entries()) {
    if (entry.kind !== 'received') continue;
    const value = entryValue(entry);
    const known = isObject(value) && ['QMP', 'return', 'error', 'event'].some((member) => member in value);
    if (known && !isPoorGreeting(value)) continue;
    // What a process that died had begun to write is no message, and nobody's fault but its death's.
    const next = transcript.entries.slice(n + 1).find(({ at }) => at === entry.at);
    if (next?.kind === 'eof') continue;
    const [symptom] = [
      {
        kind: 'garbage' as const,
        subject: value === undefined ? 'text that is not JSON' : 'JSON that is no message of the protocol',
        rows: ['QMP-OUT-01'],
        state: '',
        expected: ['one JSON object with return, error, event or QMP'],
        got: entry.text.slice(0, 200),
        entry: n,
      },
    ];
    return [symptom];
  }
  return [];
}

/** Parts of the streams that were fed on any channel. */
const partsFed = ({ entries }: Transcript): string =>
  entries
    .flatMap(({ kind, text }) => (kind === 'channel' ? (/^sent \d+ bytes: (.*)$/.exec(text)?.[1] ?? []) : []))
    .join(' ');

/** A migration stream that breaks the format: the peer reads it as a destination would, and says what is wrong. */
function unreadableSymptoms({ transcript, streamKnown }: Evidence): Symptom[] {
  if (!streamKnown) return [];
  const fault = streamFault(transcript);
  if (fault === undefined) return descriptionSymptoms(transcript);
  const { entry, why } = fault;
  return [
    {
      kind: 'garbage',
      subject: `a migration stream that breaks the format: ${withoutFigures(why).slice(0, 80)}`,
      rows: [brokenRowOf(why, partsFed(transcript))],
      state: '',
      expected: ['a stream that a destination can load'],
      got: why.slice(0, 200),
      entry: entry.n,
    },
  ];
}

/** A migration that was left alone and completed, without the description behind its end mark (MIG-STR-VMD-01). */
function descriptionSymptoms({ entries }: Transcript): Symptom[] {
  const entry = entries.find(({ kind, text }) => kind === 'channel' && text.endsWith('ended without a description'));
  if (entry === undefined) return [];
  const disturbed = entries
    .slice(0, entry.n)
    .some(({ kind, text }) => (kind === 'channel' && text === 'cut') || (kind === 'sent' && text.includes('cancel')));
  const completed = entries.some(({ kind, text }) => kind === 'received' && /"status"\s*:\s*"completed"/.test(text));
  if (disturbed || !completed) return [];
  return [
    {
      kind: 'garbage',
      subject: 'a migration stream without a description',
      rows: ['MIG-STR-VMD-01'],
      state: '',
      expected: ['a description of the devices behind the end mark'],
      got: entry.text,
      entry: entry.n,
    },
  ];
}

const answered = new Set(['command', 'fence', 'connect', 'status', 'runstate']);

/** A living process that gave no reply. Steps that wait for something which may never come are not meant. */
function hangSymptoms({ troubles, transcript, judge }: Evidence): Symptom[] {
  const trouble = troubles.find(
    ({ kind, step, message }) =>
      kind === 'deadline' && (step === undefined || answered.has(step.do)) && !tellsOfDropped(transcript, message),
  );
  if (trouble === undefined) return [];
  const process = trouble.endpoint.split('#')[0] as string;
  if (transcript.entries.some(({ kind, at }) => kind === 'exited' && at === process)) return [];
  const step =
    trouble.step === undefined ? 'a query' : trouble.step.do === 'command' ? trouble.step.execute : trouble.step.do;
  const [state] = judge.states(process);
  return [
    {
      kind: 'hang',
      subject: `no reply to ${step}`,
      rows: [],
      state: state === undefined ? '' : `outgoing ${state.out.status}, incoming ${state.in.status}`,
      expected: ['a reply'],
      got: trouble.message,
    },
  ];
}
