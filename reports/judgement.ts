/** Judgements of transcripts as text. */

import { explainDivergence } from '../oracle/explain.js';
import type { Judgement } from '../oracle/judge.js';
import type { Transcript } from '../protocol/transcript.js';
import type { Colors } from './terminal.js';

/** A judgement with its explanation; ends with a line end. */
export function renderJudgement(judgement: Judgement, transcript: Transcript, colors: Colors): string {
  const seen = `${judgement.observations} observation${judgement.observations === 1 ? '' : 's'}`;
  switch (judgement.kind) {
    case 'conforms':
      return `${colors.green('conforms')}  (${seen})\n`;
    case 'known-defect':
      return `${colors.yellow('known defect')}  ${(judgement.defects ?? []).join(', ')}  (${seen})\n`;
    case 'inconclusive':
      return `${colors.yellow('inconclusive')}  ${judgement.reason ?? ''}  (${seen})\n`;
    case 'divergence': {
      const lines = judgement.divergence === undefined ? [] : explainDivergence(judgement.divergence, transcript);
      return `${colors.red('divergence')}  (${seen})\n${lines.join('\n')}\n`;
    }
  }
}
