import type { MigrationRules } from '../dialects/migration.js';
import { explore } from './explore.js';
import { notation } from './output.js';
import type { Side } from './row.js';
import type { ModelState } from './state.js';

export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  /** What makes it happen: `label` or a command, each once. */
  readonly causes: readonly string[];
  /** Outputs beside `M(to)` and the reply, for example `S`. */
  readonly outputs: readonly string[];
}

/** The state machine of one side, reduced to its statuses. */
export interface Graph {
  readonly side: Side;
  readonly nodes: readonly string[];
  readonly edges: readonly GraphEdge[];
}

const capabilitySets = [
  [],
  ['return-path'],
  ['pause-before-switchover'],
  ['postcopy-ram'],
  ['postcopy-ram', 'pause-before-switchover'],
  ['x-colo', 'return-path'],
];
/** The incoming side's end of the process, drawn as a node of its own. */
const exitNode = 'exit 1';

/** Collapses the explored model to transitions between statuses. */
export function statusGraph(rules: MigrationRules, side: Side): Graph {
  const nodes = new Set<string>(['none']);
  const edges = new Map<string, { from: string; to: string; causes: Set<string>; outputs: Set<string> }>();
  for (const capabilities of capabilitySets) {
    explore(rules, ['events', ...capabilities], {
      courseOnly: true,
      starts: side === 'outgoing' ? [{}] : [{ incoming: 'defer' }],
      onTransition: (state, by, taken, kind) => {
        if (kind !== 'command' && kind !== side) return;
        const untouched = side === 'outgoing' ? taken.next.out === state.out : taken.next.in === state.in;
        // Swapped emissions are no arrows of their own.
        if ((untouched && taken.next.exit === null) || taken.rows.includes('MIG-SM-E02')) return;
        const cause = by.replace(/:.*/, '');
        let from = statusOf(state, side);
        let outputs: string[] = [];
        const go = (to: string) => {
          if (from === to) return;
          nodes.add(from).add(to);
          const key = `${from} ${to}`;
          const edge = edges.get(key) ?? { from, to, causes: new Set(), outputs: new Set() };
          edges.set(key, edge);
          edge.causes.add(cause);
          for (const output of outputs) edge.outputs.add(output);
          outputs = [];
          from = to;
        };
        // A step that passes through several statuses is drawn as that many arrows.
        for (const output of taken.outputs) {
          if (output.kind !== 'event') continue;
          if (output.event !== 'MIGRATION') outputs.push(notation(output));
          else if (output.always !== true) go(output.status);
        }
        go(side === 'incoming' && taken.next.exit !== null ? exitNode : statusOf(taken.next, side));
      },
    });
  }
  const list = [...edges.values()].map((edge) => ({
    from: edge.from,
    to: edge.to,
    causes: [...edge.causes],
    outputs: [...edge.outputs],
  }));
  return { side, nodes: [...nodes], edges: list };
}

const statusOf = (state: ModelState, side: Side): string => (side === 'outgoing' ? state.out : state.in).status;
