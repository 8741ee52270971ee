/** How many hash tags spread the conversations over a cluster. */
export const SHARDS = 256;

/**
 * Which tags a store's keys carry. They are part of every key, so they never change: another choice would be another
 * layout. The store says which is its own (layout.ts).
 */
export type Layout = 1 | 2;

/** Their slots are 64 apart: n equal masters get at most ⌈256 / n⌉ + 1 shards each. */
const EVEN = `
e8a iy8 aio tg6 2uo csv cj9 z1 dnh hk9 hrv uu7 3gn baw bx8 ftq mq1 a0h id7 eaf org cw6 cny gb0 lc0
hoy hv6 dsg wkn be7 b8p fp1 apd mu5 eeb acqr cs2 ovc zu kce yim lg4 dwc hr2 ba3 fmz ft5 jqd i94 f
tc2 amk cwr gz gbt ze5 qd5 djl uq3 hvr bes 3cj fpu 7vl emk pc2 axm m94 6t cbt zp3 k3 lvr qq3 hct
ud5 f84 bpu 7cj fes 8jc aeb iu5 epd 24 cf4 kvc os lr2 qus hg4 dbe nqd bt5 bmz fa3 aaf md7 e0h iq1
cb0 r8 kw krg qqw lv6 dfa hc0 bp1 f8p fe7 skn pg6 eio my8 a8a cfp vx o7 zt7 qu7 lrv lk9 hgp btq fx8
faw 7gn bn crf kb1 onx e9q aq0 iag ed6 ne6 sbw jp0 fua dox yh9 hsf dv7 gzo rt6 coi oj8 ey9 aup xg7
min fhn sf7 jtp nx9 dk8 hni yu6 drw rp2 ows ve4 ckm aqt e95 edr xc3 sb3 flj n85 byl hjm 1el dvs yq2
cvb fj gcd kf5 au4 mpe 0jb iec bdc na2 fqe jt4 5me lbd dr3 hwb sl ccd ks3 gvb mec 4jb ipe eu4 nt4
bqe ja2 fdc lwb 5xc hbd dg5 gkm re4 kws nc 0bk adr a95 eqt fyl j85 blj wb3 1pj qtc yd4 dcu kj8 goi
jg czo iin 0fo eup ay9 jx9 ntp wf7 bhn qpg 1tn dgq 5ah knx wh grf kw7 ad6 mag eq0 a9q bua np0 wbw
je6 y97 lsf dc1 qmh
`;

/** The tag of each shard. */
export const TAGS: Readonly<Record<Layout, readonly string[]>> = {
  // The first; spread by chance, the busiest of ten masters gets 1.56 times the mean.
  1: Array.from({ length: SHARDS }, (_, shard) => `{b${shard}}`),
  2: EVEN.trim()
    .split(/\s+/)
    .map((tag) => `{${tag}}`),
};
