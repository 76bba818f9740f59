import type { MigrationRules } from '../dialects/migration.js';
import { type Graph, type GraphEdge, statusGraph } from './graph.js';
import type { Side } from './row.js';

/** Where a status stands in the drawing: column and row of a grid. */
const places: Readonly<Record<Side, Readonly<Record<string, readonly [number, number]>>>> = {
  outgoing: {
    none: [0, 1],
    setup: [1, 1],
    active: [2, 1],
    'pre-switchover': [3, 0],
    device: [4, 0],
    completed: [5, 1],
    colo: [4, 1],
    cancelling: [2, 3],
    cancelled: [0.35, 3],
    failed: [1, 4.2],
    'postcopy-active': [4, 2.4],
    'postcopy-paused': [3, 4],
    'postcopy-recover-setup': [4, 4],
    'postcopy-recover': [5, 3.4],
  },
  incoming: {
    none: [0, 1],
    setup: [0, 0],
    active: [1.2, 1],
    completed: [4, 1],
    failed: [0.2, 2.6],
    'exit 1': [1.2, 2.6],
    colo: [2.6, 0],
    'postcopy-active': [2.6, 2],
    'postcopy-paused': [2.6, 3.4],
    'postcopy-recover': [4, 2.7],
  },
};

const cell = { width: 290, height: 135 };
const box = { width: 138, height: 40 };
const margin = { x: 110, y: 70 };
const palette: Readonly<Record<string, string>> = {
  completed: '#d8f0dc',
  failed: '#f8d9d6',
  'exit 1': '#f8d9d6',
  cancelled: '#ececec',
  cancelling: '#ececec',
  none: '#ffffff',
};

/** Colour of an arrow; the usual one where it gives none. Only `svg` has colours. */
export type Paint = (edge: GraphEdge) => string | undefined;

/** Draws the status graph of one side. `svg` needs nothing but a viewer; `mermaid` is a stateDiagram-v2. */
export function diagram(rules: MigrationRules, side: Side, format: 'mermaid' | 'svg', paint?: Paint): string {
  const graph = statusGraph(rules, side);
  return format === 'mermaid' ? mermaid(graph) : svg(graph, paint ?? (() => undefined));
}

/** Causes, then outputs behind a slash, as state-machine.md §7 writes them. */
function caption({ causes, outputs }: GraphEdge, most: number): string {
  const shown = causes.length > most ? [...causes.slice(0, most), '…'] : causes;
  return shown.join(', ') + (outputs.length === 0 ? '' : ` / ${outputs.join(', ')}`);
}

function mermaid({ nodes, edges }: Graph): string {
  const id = (status: string) => status.replaceAll(/[- ]/g, '');
  const lines = ['stateDiagram-v2'];
  for (const node of nodes) if (id(node) !== node) lines.push(`    state "${node}" as ${id(node)}`);
  lines.push('    [*] --> none');
  for (const edge of edges) {
    lines.push(`    ${id(edge.from)} --> ${id(edge.to)} : ${caption(edge, 4).replaceAll(/[:;]/g, ',')}`);
  }
  return `${lines.join('\n')}\n`;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

function svg({ side, nodes, edges }: Graph, paint: Paint): string {
  const known = places[side];
  const spare = nodes.filter((node) => known[node] === undefined);
  const place = (node: string): Point => {
    const [column, row] = known[node] ?? [spare.indexOf(node), 5];
    return { x: margin.x + column * cell.width, y: margin.y + row * cell.height };
  };
  const right = Math.max(...nodes.map((node) => place(node).x)) + margin.x;
  const bottom = Math.max(...nodes.map((node) => place(node).y)) + margin.y;
  const both = new Set(edges.map(({ from, to }) => `${from} ${to}`));
  const drawn = edges.map((edge) =>
    arrow(
      place(edge.from),
      place(edge.to),
      both.has(`${edge.to} ${edge.from}`),
      lines(caption(edge, 3)),
      nodes,
      place,
      paint(edge),
    ),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${right} ${bottom}" width="${right}" height="${bottom}"`,
    '  font-family="system-ui, sans-serif" font-size="13">',
    `<title>Migration, ${side} side</title>`,
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">',
    '<path d="M0 0 10 5 0 10z" fill="#5b6470"/></marker></defs>',
    `<rect width="${right}" height="${bottom}" fill="#fbfbfa"/>`,
    ...drawn.map(({ line }) => line),
    ...nodes.map((node) => status(node, place(node))),
    ...drawn.map(({ text }) => text),
    '</svg>',
    '',
  ].join('\n');
}

function status(name: string, { x, y }: Point): string {
  const fill = palette[name] ?? '#dbe7f6';
  const { width, height } = box;
  const corner = `x="${x - width / 2}" y="${y - height / 2}" width="${width}" height="${height}"`;
  return `<rect ${corner} rx="12" fill="${fill}" stroke="#3c4652"/><text x="${x}" y="${y + 4.5}" text-anchor="middle" font-weight="600" fill="#1d2430">${name}</text>`;
}

/** One curve; it bends away from its counterpart and from boxes on its way. */
function arrow(
  from: Point,
  to: Point,
  paired: boolean,
  text: readonly string[],
  nodes: readonly string[],
  place: (node: string) => Point,
  color: string | undefined,
): { line: string; text: string } {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy);
  const [nx, ny] = [-dy / length, dx / length];
  const blocked = nodes.some((node) => {
    const at = place(node);
    const along = ((at.x - from.x) * dx + (at.y - from.y) * dy) / length;
    const aside = Math.abs((at.x - from.x) * nx + (at.y - from.y) * ny);
    return along > 30 && along < length - 30 && aside < 45;
  });
  const bend = blocked ? Math.min(150, length * 0.3) : paired ? 50 : 10;
  const bent = { x: (from.x + to.x) / 2 + nx * bend, y: (from.y + to.y) / 2 + ny * bend };
  const start = border(from, bent);
  const end = border(to, bent);
  const middle = { x: (start.x + 2 * bent.x + end.x) / 4, y: (start.y + 2 * bent.y + end.y) / 4 };
  const path = `M${show(start)} Q${show(bent)} ${show(end)}`;
  const first = middle.y - ((text.length - 1) * 12) / 2 + 3.5;
  const spans = text.map(
    (line, index) =>
      `<tspan x="${middle.x.toFixed(1)}" y="${(first + index * 12).toFixed(1)}">${escaped(line)}</tspan>`,
  );
  return {
    line: `<path d="${path}" fill="none" stroke="${color ?? '#5b6470'}" stroke-width="${color === undefined ? 1.2 : 2}" marker-end="url(#tip)"/>`,
    text: `<text text-anchor="middle" font-size="10.5" fill="${color ?? '#39424e'}" stroke="#fbfbfa" stroke-width="3.5" paint-order="stroke" stroke-linejoin="round">${spans.join('')}</text>`,
  };
}

/** Where the line from a box's centre towards a point leaves the box. */
function border(centre: Point, towards: Point): Point {
  const [dx, dy] = [towards.x - centre.x, towards.y - centre.y];
  const [halfWidth, halfHeight] = [box.width / 2 + 3, box.height / 2 + 3];
  const scale = Math.min(halfWidth / Math.max(Math.abs(dx), 0.001), halfHeight / Math.max(Math.abs(dy), 0.001));
  return { x: centre.x + dx * scale, y: centre.y + dy * scale };
}

const show = ({ x, y }: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** Breaks a caption into lines of about 24 characters. */
function lines(text: string): string[] {
  const out: string[] = [];
  for (const word of text.split(' ')) {
    const last = out.at(-1);
    if (last !== undefined && last.length + word.length < 24) out[out.length - 1] = `${last} ${word}`;
    else out.push(word);
  }
  return out;
}
