import { expect } from 'chai';
import { Script } from './script.js';

/** What is said to be permitted in place of the last line. */
const permitted = (...lines: readonly string[]) =>
  new Script()
    .lines(...lines)
    .judge()
    .divergence?.permitted.map(({ words }) => words);
const unknown = (name: string) => `CommandNotFound "The command ${name} has not been found"`;

describe('refusals of one class', () => {
  it('are explained with the text of their own message, however many have been judged before', () => {
    for (const name of ['one-thing', 'another-thing', 'one-thing']) {
      expect(permitted(`> ${name}`, '< {}'), name).to.deep.equal([unknown(name)]);
    }
  });

  it('are told apart in a pipeline', () => {
    const two = ['> first-thing', '> second-thing'];
    expect(permitted(...two, '< {}')).to.deep.equal([unknown('first-thing')]);
    expect(permitted(...two, '< !CommandNotFound', '< {}')).to.deep.equal([unknown('second-thing')]);
  });

  it('are told apart by their class', () => {
    const [right, wrong] = ['< !GenericError', '< !CommandNotFound'];
    const text = `Parameter 'uri' is missing`;
    for (const command of ['> migrate', '> migrate-incoming']) {
      expect(permitted(command, right), command).to.equal(undefined);
      expect(permitted(command, wrong), command).to.deep.equal([`GenericError "${text}"`]);
    }
  });
});
