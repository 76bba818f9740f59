/**
 * What a mapping of dirty bitmaps must keep to. The schema says nothing of it: all monitors that have the parameter refuse
 * the same ones (measured on 7.2 and 10.0), because names go into the stream with a length of one byte.
 */

/** Most bytes of an alias of a node or of a bitmap. */
const longestAlias = 255;
/** Most bytes of a node's name. */
const longestNode = 31;
/** Most bytes of a bitmap's name. */
const longestBitmap = 1023;

interface Mapping {
  readonly 'node-name': string;
  readonly alias: string;
  readonly bitmaps: readonly { readonly name: string; readonly alias: string }[];
}

const tooLong = (text: string, most: number): boolean => Buffer.byteLength(text) > most;

/** The whole text of the refusal of a `block-bitmap-mapping` that passes the schema; `undefined` for one that is taken. */
export function mappingFault(value: unknown): string | undefined {
  const fault = faultOf(value as readonly Mapping[]);
  return fault === undefined ? undefined : `Invalid mapping given for block-bitmap-mapping: ${fault}`;
}

function faultOf(mappings: readonly Mapping[]): string | undefined {
  const [nodes, aliases] = [new Set<string>(), new Set<string>()];
  for (const mapping of mappings) {
    const { 'node-name': node, alias } = mapping;
    if (!/^[A-Za-z][A-Za-z0-9._-]*$/.test(alias)) return `The node alias '${alias}' is not well-formed`;
    if (tooLong(alias, longestAlias)) return `The node alias '${alias}' is longer than ${longestAlias} bytes`;
    if (tooLong(node, longestNode)) return `The node name '${node}' is longer than ${longestNode} bytes`;
    if (nodes.has(node)) return `The node name '${node}' is mapped twice`;
    if (aliases.has(alias)) return `The node alias '${alias}' is used twice`;
    nodes.add(node);
    aliases.add(alias);
    const fault = bitmapFault(mapping);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function bitmapFault({ 'node-name': node, alias: nodeAlias, bitmaps }: Mapping): string | undefined {
  const [names, aliases] = [new Set<string>(), new Set<string>()];
  for (const { name, alias } of bitmaps) {
    if (tooLong(alias, longestAlias)) return `The bitmap alias '${alias}' is longer than ${longestAlias} bytes`;
    if (tooLong(name, longestBitmap)) return `The bitmap name '${name}' is longer than ${longestBitmap} bytes`;
    if (names.has(name)) return `The bitmap '${node}'/'${name}' is mapped twice`;
    if (aliases.has(alias)) return `The bitmap alias '${nodeAlias}'/'${alias}' is used twice`;
    names.add(name);
    aliases.add(alias);
  }
  return undefined;
}
