import { expect } from 'chai';
import fc from 'fast-check';
import { compareSchemas } from '../../qapi/compare.js';
import { QapiError } from '../../qapi/errors.js';
import { fromIntrospection, IntrospectionError, toIntrospection } from '../../qapi/introspection.js';
import { parseQapi } from '../../qapi/parse.js';
import { renderDefinition, renderOverview } from '../../qapi/render.js';
import { validatorsFor } from '../../qapi/validators.js';
import { schemaText } from './arbitrary-schema.js';
import { sample } from './sample.js';

const seed = 42;

/** Small damage to a text: a piece cut out, doubled, or replaced by something that the language knows. */
const mutation = fc.record({
  at: fc.nat({ max: 5000 }),
  length: fc.nat({ max: 12 }),
  insert: fc.oneof(
    fc.constantFrom('', "'", '{', '}', '[', ']', ':', ',', '#', '##\n', 'true', "'if'", "'data'", "'base'", '\\', '\n'),
    fc.string({ maxLength: 3, unit: 'binary' }),
  ),
});

function damage(text: string, { at, length, insert }: { at: number; length: number; insert: string }): string {
  const start = at % text.length;
  return text.slice(0, start) + insert + text.slice(start + length);
}

describe('qapi: properties', () => {
  it('a damaged text is a schema or a QapiError with a place in the text', () => {
    let refused = 0;
    fc.assert(
      fc.property(
        fc.oneof(fc.constant(sample), schemaText),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        (text, list) => {
          const damaged = list.reduce(damage, text);
          try {
            parseQapi(damaged, { file: 'f' });
          } catch (error) {
            refused += 1;
            expect(error).to.be.instanceOf(QapiError);
            const { line, column } = error as QapiError;
            const lines = damaged.split('\n');
            expect(line).to.be.within(1, lines.length);
            expect(column).to.be.within(1, lines[line - 1]!.length + 1);
          }
        },
      ),
      { seed, numRuns: 600 },
    );
    expect(refused, 'texts that were refused').to.be.greaterThan(300);
  });

  it('a schema survives introspection, but for the width of its integers', () => {
    fc.assert(
      fc.property(schemaText, (text) => {
        const schema = parseQapi(text);
        const back = fromIntrospection(JSON.parse(JSON.stringify(toIntrospection(schema, { features: true }))));
        expect([...back.commands.keys()]).to.deep.equal([...schema.commands.keys()]);
        expect(compareSchemas(schema, back)).to.deep.equal([]);
        expect(compareSchemas(back, schema)).to.deep.equal([]);
      }),
      { seed, numRuns: 150 },
    );
  });

  it('names in an introspection reply mean nothing', () => {
    fc.assert(
      fc.property(schemaText, (text) => {
        const schema = parseQapi(text);
        const entities = toIntrospection(schema, { features: true });
        // Numbers become other numbers, within arrays too, and entities come in another order. '3' may be an enum value.
        const renamed = JSON.stringify(entities).replace(/"(\[?)(\d+)(\]?)"/g, (all, open, digits, close) =>
          /^\d+$/.test(digits) && digits !== '3' ? `"${open}${Number(digits) + 1000}${close}"` : all,
        );
        const other = fromIntrospection((JSON.parse(renamed) as object[]).toReversed());
        expect(compareSchemas(schema, other)).to.deep.equal([]);
      }),
      { seed, numRuns: 50 },
    );
  });

  it('a damaged introspection reply is a schema or an IntrospectionError', () => {
    const entities = toIntrospection(parseQapi(sample), { features: true });
    const junk = fc.constantFrom<unknown>(undefined, null, 5, 'x', [], {}, ['x'], [null], [{}], '0', 'int', '[int]');
    let refused = 0;
    fc.assert(
      fc.property(fc.nat(), fc.nat(), junk, (index, keyIndex, value) => {
        const damaged = structuredClone(entities) as Record<string, unknown>[];
        const entity = damaged[index % damaged.length]!;
        const keys = Object.keys(entity);
        entity[keys[keyIndex % keys.length]!] = value;
        try {
          fromIntrospection(damaged);
        } catch (error) {
          refused += 1;
          expect(error).to.be.instanceOf(IntrospectionError);
          expect((error as Error).message).to.match(/^query-qmp-schema: /);
        }
      }),
      { seed, numRuns: 500 },
    );
    expect(refused, 'replies that were refused').to.be.greaterThan(250);
  });

  it('every schema compares equal to itself, and can be shown and compiled', () => {
    fc.assert(
      fc.property(schemaText, (text) => {
        const schema = parseQapi(text);
        expect(compareSchemas(schema, schema)).to.deep.equal([]);
        const introspected = fromIntrospection(toIntrospection(schema));
        for (const each of [schema, introspected]) {
          expect(renderOverview(each)).to.include('Commands (3)');
          const validators = validatorsFor(each);
          for (const command of each.commands.values()) {
            expect(renderDefinition(each, command)).to.include(`command ${command.name}`);
            expect(validators.arguments(command.name)(5)).to.deep.equal([{ path: '', expected: 'object', got: '5' }]);
            validators.returns(command.name)(null);
          }
        }
      }),
      { seed, numRuns: 10 },
    );
  });

  it('taking a command away is one difference, whatever else there is', () => {
    fc.assert(
      fc.property(schemaText, fc.constantFrom('c0', 'c1', 'c2'), (text, name) => {
        const schema = parseQapi(text);
        const without = parseQapi(
          text
            .split('\n')
            .filter((line) => !line.startsWith(`{ 'command': '${name}'`))
            .join('\n'),
        );
        expect(compareSchemas(schema, without)).to.deep.equal([
          { path: name, kind: 'removed', text: 'the command is gone', compatible: 'no' },
        ]);
        expect(compareSchemas(without, schema).map(({ compatible }) => compatible)).to.deep.equal(['yes']);
      }),
      { seed, numRuns: 50 },
    );
  });
});
