import type { Command } from 'commander';
import type { CliContext } from '../../terminal/cli-context';
import { keyListCommand } from '../trust/trust.command';

export function exporterCommand(context: CliContext): Command {
  return keyListCommand(context, {
    name: 'exporter',
    description: 'The keys of exporters whose offline kits the tenant takes',
    route: '/api/exporters',
  });
}
