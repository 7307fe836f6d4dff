import { StepError } from './step-error';
import { describeFailure, Steps } from './steps';

describe('Steps', () => {
  it('prints one line per step with its time and remarks', async () => {
    const lines: string[] = [];
    const result = await new Steps(text => lines.push(text)).run('PostgreSQL', async note => {
      note('embedded 18');
      note('127.0.0.1:5432');
      return 7;
    });
    expect(result).toBe(7);
    expect(lines).toEqual([expect.stringMatching(/^ {2}PostgreSQL +0\.\d s {2}embedded 18, 127\.0\.0\.1:5432\n$/)]);
  });

  it('names step, cause and remedy of a failure, the innermost step when they nest', async () => {
    const steps = new Steps(() => undefined);
    const failure = steps.run('outer', () => steps.run('nats-server', () => Promise.reject(new StepError('none on PATH', 'install it'))));
    const caught: unknown = await failure.catch((error: unknown) => error);
    expect(describeFailure(caught)).toBe('Failed: nats-server\nCause:  none on PATH\nRemedy: install it');
  });
});
