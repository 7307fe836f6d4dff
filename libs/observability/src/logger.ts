import type { LoggerService } from '@nestjs/common';
import pino, { type Logger } from 'pino';

export type { Logger };

/** Injection token of the process's `Logger`. */
export const LOGGER = Symbol('Logger');

/** JSON lines on standard output. Fields in use: packId, version, actor, tenant, digest; tokens and secrets are masked wherever they hide. */
export function createLogger(process: string, level: string): Logger {
  return pino({
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: label => ({ level: label }) },
    redact: { paths: ['*.authorization', '*.password', '*.token', '*.secret', 'headers.authorization'], censor: '***' },
  });
}

/** Nest's own lines, without its start-up chatter below warnings. */
export class NestLogger implements LoggerService {
  constructor(private readonly logger: Logger) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  private write(level: 'debug' | 'warn' | 'error', message: unknown, rest: unknown[]): void {
    const context = rest.at(-1);
    this.logger[level]({ context: typeof context === 'string' ? context : undefined }, String(message));
  }
}
