/** Words for the names of containers that were not given one: an adjective and a person who moved computing. */
const split = (line: string): string[] => line.split(" ");

export const adjectives: readonly string[] = [
  "able agile amber ample apt ardent astute avid bold brave breezy bright brisk calm candid casual",
  "cheerful civil clever cosmic cozy crisp curious daring deft eager earnest easy fair famous fearless",
  "fine fluent fond frank fresh gallant gentle glad golden grand handy hardy humble ideal jolly jovial",
  "keen kind lively loyal lucid lucky mellow merry mighty modest neat nimble noble patient placid",
  "polite prime proud quick quiet rapid ready robust rustic sage serene sharp silent sincere sleek",
  "smart snappy sober spry stable steady sturdy subtle sunny swift tidy tranquil trusty upbeat vivid",
  "warm wise witty zealous",
].flatMap(split);

export const surnames: readonly string[] = [
  "aiken allen andreessen atanasoff babbage backus baran bartik berners boole booth brooks burks bush",
  "cerf church clark codd conway cook corbato cray dahl davies diffie dijkstra eckert engelbart ershov",
  "estrin floyd flowers forsythe goldberg goldstine gosling gray hamilton hamming hellman hoare",
  "holberton hollerith hopper huffman iverson jacquard johnson kahan kahn karp kay keller kernighan",
  "kilby kleene knuth lamarr lamport lampson leibniz licklider liskov lovelace mauchly mccarthy mcilroy",
  "merkle metcalfe minsky moore naur newell noyce nygaard papert perlis perlman postel rabin ritchie",
  "rivest roberts sammet scott shamir shannon shaw simon spence stibitz strachey tarjan thompson torres",
  "turing wilkes wilkinson wirth yao zuse",
].flatMap(split);
