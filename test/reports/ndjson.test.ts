import { expect } from 'chai';
import type { RunEvent } from '../../oracle/run-events.js';
import { NdjsonReport, readRunEvents } from '../../reports/ndjson.js';
import { fold } from '../../reports/report.js';
import {
  AfterFooter,
  CutOffStream,
  EmptyStream,
  GarbageLine,
  MissingHeader,
  PlanNotMet,
  SecondHeader,
  StreamError,
  UnknownVersion,
} from '../../reports/stream-error.js';
import { everything, footer, header, outcome, passed, runs, stream } from './events.js';

function write(events: readonly unknown[]): string {
  let text = '';
  fold(
    events as RunEvent[],
    new NdjsonReport((part) => {
      text += part;
    }),
  );
  return text;
}

const green = () => stream([passed(), passed()]);

/** What is wrong with a text; every good event before it must have been given. */
function faultOf(text: string): { error: StreamError; events: RunEvent[] } {
  const events: RunEvent[] = [];
  try {
    for (const event of readRunEvents(text)) events.push(event);
  } catch (error) {
    expect(error).to.be.instanceOf(StreamError);
    return { error: error as StreamError, events };
  }
  throw new Error('nothing was found wrong with it');
}

describe('event stream', () => {
  it('is read as it was written', () => {
    for (const [name, events] of Object.entries(runs)) {
      if (name === 'cutOff' || name === 'nothing') continue;
      const sent = events();
      expect([...readRunEvents(write(sent))], name).to.deep.equal(JSON.parse(JSON.stringify(sent)));
    }
  });

  it('may have members that this version does not know', () => {
    const [first, ...rest] = green();
    expect([...readRunEvents(write([{ ...first, later: 1 }, ...rest]))]).to.have.length(6);
  });

  const cases: readonly [string, () => string, new (...args: never[]) => StreamError, number, RegExp][] = [
    ['is empty', () => '', EmptyStream, 6, /empty/],
    ['has no header', () => write(green().slice(1)), MissingHeader, 6, /line 1: .* 'started'/],
    ['begins with something else', () => '[]\n', MissingHeader, 6, /line 1/],
    ['is of another version', () => write([{ ...header(), version: 2 }]), UnknownVersion, 6, /version 2/],
    ['ends without a footer', () => write(green().slice(0, -1)), CutOffStream, 6, /after line 5/],
    ['ends within a line', () => write(green()).slice(0, -20), GarbageLine, 6, /line 6: .* cut off/],
    [
      'has a line of garbage',
      () => write(green()).replace('\n{', '\nnoise\n{'),
      GarbageLine,
      6,
      /line 2: it is not JSON/,
    ],
    ['has a blank line', () => write(green()).replace('\n{', '\n\n{'), GarbageLine, 6, /line 2/],
    ['has an unknown event', () => write([header(), { event: 'party' }]), GarbageLine, 6, /line 2: .*'party'/],
    ['lacks a member', () => write([header(), { event: 'started' }]), GarbageLine, 6, /line 2: .*'id'/],
    ['has a wrong member', () => write([{ ...header(), seed: 'x' }]), GarbageLine, 6, /line 1: .*seed.*integer/],
    ['has a second header', () => write([...green().slice(0, 2), ...green()]), SecondHeader, 6, /line 3/],
    ['goes on after its footer', () => write([...green(), ...green()]), AfterFooter, 6, /line 7/],
    [
      'reports less than planned',
      () => write([...green().slice(0, 3), footer([passed(), passed()])]),
      PlanNotMet,
      7,
      /2 .* planned, 1/,
    ],
    [
      'plans two numbers',
      () => write(stream([passed()], { header: { planned: 3 } })),
      PlanNotMet,
      7,
      /plans 3.*footer 1/,
    ],
    ['counts another number', () => write(stream([passed()], { footer: { ran: 3 } })), PlanNotMet, 7, /counts 3/],
    [
      'reports one twice',
      () => write([header({ planned: 2 }), outcome('conforms', { id: 'A' }), outcome('conforms', { id: 'A' })]),
      PlanNotMet,
      7,
      /A is reported twice/,
    ],
    [
      'hides a failure from the footer',
      () => write(everything()).replace('"divergence":3', '"divergence":1'),
      PlanNotMet,
      7,
      /1 times 'divergence', 3/,
    ],
  ];
  for (const [name, text, type, exitCode, message] of cases) {
    it(`is refused when it ${name}`, () => {
      const { error } = faultOf(text());
      expect(error).to.be.instanceOf(type);
      expect(error.name).to.equal(type.name);
      expect(error.exitCode).to.equal(exitCode);
      expect(error.message).to.match(message);
      expect(error.message).to.not.contain('\n');
    });
  }

  it('gives what was good before the fault', () => {
    expect(faultOf(write(green().slice(0, -1))).events).to.have.length(5);
  });
});
