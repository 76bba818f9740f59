import type { CommandHandler, CommandTable } from '../migration/host.js';
import type { WireFaults } from '../migration/wire-faults.js';
import type { Alternative, ModelState } from '../model/index.js';
import type { Piece, Said, TalkFaults } from '../monitor/talk-faults.js';
import type { Call, CallFault, Changes, Memory, Raised } from './fault.js';

/** The faults of one process, at the seams; several act one after the other. */
export class Planted {
  readonly #faults: readonly { readonly fault: Changes; readonly memory: Memory }[];

  constructor(faults: Iterable<Changes>) {
    this.#faults = [...faults].map((fault) => ({ fault, memory: new Map() }));
  }

  /** What becomes of an event. */
  events(raised: Raised): readonly Raised[] {
    return this.#faults.reduce<readonly Raised[]>(
      (events, { fault, memory }) => events.flatMap((event) => fault.event?.(event, memory) ?? [event]),
      [raised],
    );
  }

  /** What becomes of a step of the model that happened in `before`. */
  step(step: Alternative, before: ModelState): Alternative {
    return this.#faults.reduce((one, { fault }) => fault.step?.(one, before) ?? one, step);
  }

  /** What becomes of the parts of the data path. */
  get wire(): WireFaults {
    const wires = this.#faults.flatMap(({ fault }) => (fault.wire === undefined ? [] : [fault.wire]));
    return {
      writer: (...args) => {
        for (const wire of wires) wire.writer?.(...args);
      },
      source: (...args) => {
        for (const wire of wires) wire.source?.(...args);
      },
      xbzrle: (...args) => {
        for (const wire of wires) wire.xbzrle?.(...args);
      },
      packets: (...args) => {
        for (const wire of wires) wire.packets?.(...args);
      },
      returnPath: (...args) => {
        for (const wire of wires) wire.returnPath?.(...args);
      },
      reader: (options) => wires.reduce((one, wire) => wire.reader?.(one) ?? one, options),
      handler: (handler, loader) => wires.reduce((one, wire) => wire.handler?.(one, loader) ?? one, handler),
    };
  }

  /** What becomes of the conversation with a client; absent where nothing does. */
  get talk(): TalkFaults | undefined {
    const talks = this.#faults.flatMap(({ fault }) => (fault.talk === undefined ? [] : [fault.talk]));
    if (talks.length === 0) return undefined;
    return {
      heard: (chunk) => talks.reduce((bytes, one) => one.heard?.(bytes) ?? bytes, chunk),
      asked: (request, talk) => talks.reduce((asked, one) => one.asked?.(asked, talk) ?? asked, request),
      said: (message, talk) =>
        talks.reduce<readonly Said[]>(
          (said, one) =>
            said.flatMap((each) => (typeof each === 'string' ? [each] : (one.said?.(each, talk) ?? [each]))),
          [message],
        ),
      ...(talks.every(({ written }) => written === undefined)
        ? {}
        : {
            written: (text: string): readonly Piece[] =>
              talks.reduce<readonly Piece[]>(
                (pieces, { written }) =>
                  pieces.flatMap((piece) => {
                    const parts = written?.(piece.text) ?? [{ text: piece.text }];
                    return parts.map((part, i) => ({
                      ...part,
                      after: (part.after ?? 0) + (i === 0 ? (piece.after ?? 0) : 0),
                    }));
                  }),
                [{ text }],
              ),
          }),
    };
  }

  /** What becomes of the commands, in as many tables. */
  commands(tables: readonly CommandTable[]): CommandTable[] {
    const honest = new Map(tables.flatMap((table) => [...table]));
    return tables.map(
      (table) => new Map([...table].map(([name, handler]) => [name, this.#wrap(name, handler, honest)])),
    );
  }

  #wrap(name: string, handler: CommandHandler, honest: CommandTable): CommandHandler {
    return this.#faults.reduce((inner, { fault, memory }) => {
      const change: CallFault | undefined = fault.calls?.[name] ?? fault.calls?.['*'];
      if (change === undefined) return inner;
      return (args, context) => {
        const call: Call = {
          name,
          args,
          context,
          memory,
          next: (others = args) => inner(others, context),
          ask: (other, given = {}) => honest.get(other)?.(given, context),
        };
        return change(call);
      };
    }, handler);
  }
}
