/** Random schema texts: every kind of definition, references in all directions that the language allows. */
import fc from 'fast-check';

const builtins = ['int', 'int8', 'uint8', 'uint16', 'uint32', 'uint64', 'size', 'str', 'number', 'bool', 'any'];
const enums = ['E0', 'E1', 'E2'];
const structs = ['S0', 'S1', 'S2', 'S3'];
const unions = ['U0', 'U1'];
const alternates = ['A0', 'A1'];

const quote = (text: string): string => `'${text}'`;
const values = fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', '3', 'x-y'), { minLength: 1, maxLength: 5 });

const typeRef = fc
  .tuple(fc.constantFrom(...builtins, ...enums, ...structs, ...unions, ...alternates), fc.boolean())
  .map(([name, list]) => (list ? `[ ${quote(name)} ]` : quote(name)));

/** Members whose names start with `prefix`, so that those of bases and branches never meet. */
const members = (prefix: string, maxLength = 4) =>
  fc.array(fc.record({ type: typeRef, optional: fc.boolean(), feature: fc.boolean() }), { maxLength }).map((list) =>
    list
      .map(({ type, optional, feature }, index) => {
        const spec = feature ? `{ 'type': ${type}, 'features': [ 'unstable' ] }` : type;
        return `'${optional ? '*' : ''}${prefix}-${index}': ${spec}`;
      })
      .join(', '),
  );

const enumText = (name: string) =>
  values.map((list) => ({ list, text: `{ 'enum': '${name}', 'data': [ ${list.map(quote).join(', ')} ] }` }));

const structText = (name: string, index: number) =>
  fc.tuple(members(`m${index}`), fc.boolean()).map(([own, based]) => {
    // Only on a later struct, so that bases never form a circle.
    const base = based && index + 1 < structs.length ? `'base': 'S${index + 1}', ` : '';
    return `{ 'struct': '${name}', ${base}'data': { ${own} } }`;
  });

const unionText = (name: string, index: number, tags: readonly string[]) =>
  fc.tuple(fc.uniqueArray(fc.constantFrom(...tags), { minLength: 1 }), members(`u${index}`)).map(([cases, common]) => {
    const branches = cases.map((value, at) => `${quote(value)}: ${quote(structs[at % structs.length]!)}`).join(', ');
    const base = `{ 'kind': 'E${index}'${common === '' ? '' : `, ${common}`} }`;
    return `{ 'union': '${name}', 'base': ${base}, 'discriminator': 'kind', 'data': { ${branches} } }`;
  });

const alternateText = (name: string) =>
  fc
    .tuple(
      fc.subarray(["'t': 'str'", "'i': 'uint8'", "'b': 'bool'", "'n': 'null'", "'o': 'S0'", "'l': [ 'E0' ]"], {
        minLength: 1,
      }),
    )
    .map(([branches]) => `{ 'alternate': '${name}', 'data': { ${branches.join(', ')} } }`);

const commandText = (index: number) =>
  fc
    .record({
      data: fc.oneof(
        fc.constant(''),
        members('p').map((own) => `, 'data': { ${own} }`),
        fc.constant(", 'data': 'S0'"),
      ),
      returns: fc.option(typeRef, { nil: '' }).map((type) => (type === '' ? '' : `, 'returns': ${type}`)),
      oob: fc.boolean().map((on) => (on ? ", 'allow-oob': true" : '')),
      features: fc.boolean().map((on) => (on ? ", 'features': [ 'deprecated' ]" : '')),
    })
    .map(({ data, returns, oob, features }) => `{ 'command': 'c${index}'${data}${returns}${oob}${features} }`);

const eventText = (index: number) =>
  members('d').map((own) => (own === '' ? `{ 'event': 'V${index}' }` : `{ 'event': 'V${index}', 'data': { ${own} } }`));

/** A valid schema text, one definition a line. */
export const schemaText: fc.Arbitrary<string> = fc
  .tuple(...enums.map(enumText))
  .chain((enumTexts) =>
    fc.tuple(
      fc.constant(enumTexts.map(({ text }) => text)),
      fc.tuple(...structs.map(structText)),
      fc.tuple(...unions.map((name, index) => unionText(name, index, enumTexts[index]!.list))),
      fc.tuple(...alternates.map(alternateText)),
      fc.tuple(...[0, 1, 2].map(commandText)),
      fc.tuple(...[0, 1].map(eventText)),
    ),
  )
  .chain((parts) => {
    const lines = parts.flat();
    return fc.shuffledSubarray(lines, { minLength: lines.length }).map((shuffled) => shuffled.join('\n'));
  });
