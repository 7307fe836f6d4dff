import { DomainError } from '@packs/domain';
import { CommanderError } from 'commander';
import { RegistryProblem } from '../client/registry-problem';
import { exitCodeOf } from './exit-codes';

const problem = (status: number, code: string): RegistryProblem => new RegistryProblem(status, code, 'detail', []);

describe('exitCodeOf', () => {
  it.each<[number, unknown]>([
    [1, new TypeError('a defect')],
    [1, 'not even an error'],
    [2, new CommanderError(1, 'commander.unknownOption', '')],
    [0, new CommanderError(0, 'commander.helpDisplayed', '')],
    [2, new DomainError('ERR_PACK_ID_INVALID', '')],
    [3, new DomainError('ERR_PACK_AUTHENTICATION', '')],
    [5, Object.assign(new Error(), { code: 'ENOENT' })],
    [6, new DomainError('ERR_PACK_SIGNATURE_INVALID', '')],
    [8, new DomainError('ERR_PACK_UNAVAILABLE', '')],
    [4, problem(422, 'ERR_PACK_VERDICT_REJECTED')],
    [4, problem(403, 'ERR_PACK_SCOPE')],
    [4, problem(423, 'ERR_PACK_SEALED')],
    [7, problem(409, 'ERR_PACK_VERSION_EXISTS')],
    [4, problem(422, 'ERR_PACK_OF_TOMORROW')],
    [3, problem(401, 'HTTP 401')],
    [5, problem(404, 'toString')],
    [8, problem(502, 'HTTP 502')],
    [8, problem(429, 'HTTP 429')],
  ])('gives %d', (code, error) => {
    expect(exitCodeOf(error)).toBe(code);
  });
});
