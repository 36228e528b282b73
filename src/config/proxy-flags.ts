import { anyText, proxyUrl } from './values.ts';

/** How AWS is reached through a proxy. */
export const PROXY_FLAGS = {
  'http-proxy': {
    env: 'HTTP_PROXY',
    value: 'URL',
    help: 'Proxy to AWS for http:// endpoints.',
    parse: proxyUrl,
  },
  'https-proxy': {
    env: 'HTTPS_PROXY',
    value: 'URL',
    help: 'Proxy to AWS for https:// endpoints.',
    parse: proxyUrl,
  },
  'no-proxy': {
    env: 'NO_PROXY',
    value: 'HOSTS',
    help: 'Hosts to reach without the proxy, separated by commas.',
    parse: anyText,
  },
} as const;
