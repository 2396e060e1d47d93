// Written by `refrain init hubspot-app`; `permittedUrls.fetch` of the app names the same address.
export const GATEWAY = 'https://hub.example.com';
