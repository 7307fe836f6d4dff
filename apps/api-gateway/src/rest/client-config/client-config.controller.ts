import { Controller, Get, Inject } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiProperty, ApiTags } from '@nestjs/swagger';

/** What a client needs to know before it has a token. */
export class ClientConfig {
  @ApiProperty({ description: 'The OIDC issuer to get a token from' }) issuer!: string;
  @ApiProperty({ description: 'The audience the token must name' }) audience!: string;
}

@ApiTags('operations')
@Controller('api/client-config')
export class ClientConfigController {
  constructor(@Inject(ClientConfig) private readonly config: ClientConfig) {}

  @Get()
  @ApiOperation({ summary: 'Where to get a token', operationId: 'getClientConfig' })
  @ApiOkResponse({ type: ClientConfig })
  get(): ClientConfig {
    return this.config;
  }
}
