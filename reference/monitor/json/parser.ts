import { Token } from './token.js';
import type { JsonObject, JsonValue } from './value.js';

/** What the two rule sets do differently once the tokens are there. */
export interface ParserRules {
  /** Text of the outermost faulty construct (baseline, §7.3) or of the first fault (QMP-D-25). */
  readonly blame: 'outermost' | 'innermost';
  /** Whether a repeated member is a fault (QMP-D-26) or replaces the earlier one (QMP-PARSE-05). */
  readonly duplicateKeys: 'fault' | 'last-wins';
  /** Content of a string token, quotes included; a {@link Fault} if it is not well formed. */
  readonly unquote: (token: string) => string | Fault;
}

/** Thrown away and replaced on the way out; `text` follows `JSON parse error, ` unless it is empty. */
export class Fault {
  constructor(readonly text: string) {}
}

const constants: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ['true', true],
  ['false', false],
  ['null', null],
]);

/** Integers that fit no 64-bit type become doubles (QMP-NUM-01). */
function integer(text: string): JsonValue {
  if (text.length <= 20) {
    const value = BigInt(text);
    if (value >= -(2n ** 63n) && value < 2n ** 64n) return value;
  }
  return Number(text);
}

/** Recursive descent over the tokens of one message; the grouper bounds the depth. */
export class Parser {
  #at = 0;

  constructor(
    private readonly rules: ParserRules,
    private readonly kinds: readonly number[],
    private readonly texts: readonly string[],
  ) {}

  /** The message's value, or its fault. */
  parse(): JsonValue | Fault {
    return this.#value();
  }

  #value(): JsonValue | Fault {
    const kind = this.kinds[this.#at];
    const text = this.texts[this.#at]!;
    this.#at++;
    switch (kind) {
      case Token.leftBrace:
        return this.#object();
      case Token.leftBracket:
        return this.#array();
      case Token.string:
        return this.rules.unquote(text);
      case Token.integer:
        return integer(text);
      case Token.float:
        return Number(text);
      case Token.word: {
        const value = constants.get(text);
        return value === undefined ? new Fault(`invalid keyword '${text}'`) : value;
      }
      case Token.directive:
        return new Fault('');
      default:
        return new Fault('expecting value');
    }
  }

  #object(): JsonObject | Fault {
    const object: JsonObject = new Map();
    if (this.kinds[this.#at] === Token.rightBrace) {
      this.#at++;
      return object;
    }
    for (;;) {
      const fault = this.#member(object);
      if (fault !== undefined) return fault;
      const separator = this.kinds[this.#at++];
      if (separator === Token.rightBrace) return object;
      if (separator !== Token.comma) return new Fault('expected separator in dict');
    }
  }

  #member(object: JsonObject): Fault | undefined {
    const key = this.#value();
    if (key instanceof Fault) return this.#blame(key, 'key is not a string in object');
    if (typeof key !== 'string') return new Fault('key is not a string in object');
    if (this.kinds[this.#at++] !== Token.colon) return new Fault('missing : in object pair');
    const value = this.#value();
    if (value instanceof Fault) return this.#blame(value, 'Missing value in dict');
    if (this.rules.duplicateKeys === 'fault' && object.has(key)) return new Fault('duplicate key');
    object.set(key, value);
    return undefined;
  }

  #array(): JsonValue[] | Fault {
    const array: JsonValue[] = [];
    if (this.kinds[this.#at] === Token.rightBracket) {
      this.#at++;
      return array;
    }
    for (;;) {
      const element = this.#value();
      if (element instanceof Fault) return this.#blame(element, 'expecting value');
      array.push(element);
      const separator = this.kinds[this.#at++];
      if (separator === Token.rightBracket) return array;
      if (separator !== Token.comma) return new Fault('expected separator in list');
    }
  }

  /** The fault to report for a construct in which `inner` was found. */
  #blame(inner: Fault, text: string): Fault {
    return this.rules.blame === 'innermost' ? inner : new Fault(text);
  }
}
