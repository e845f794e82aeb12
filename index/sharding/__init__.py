"""An index in shards by article, searched as if it were one.

The index itself stays what it is: it is where articles are added, and the truth. From it each shard is made, an
ordinary index folder with the articles whose ids a hash puts there, in which passages keep their numbers. A search asks
all shards at once, hands each what only all of them together know (how many passages have a word, how long they are),
and merges exactly what they find: hits, scores and the order of equally good ones are those of the whole index, as long
as no part of either is approximate.

Each shard has two halves, folders of which one is searched while the other follows the index (``split``). When all
shards have a generation it is *published*, in one file that is replaced. A search names the generation that it reads
and the shards keep two of them open, so that none sees a mixture; one that took so long that its generation is gone
begins again.

``layout`` says what lies where, ``split`` makes shards, ``reader`` answers for one of them, ``snapshot`` and
``index`` ask them all; ``deployment`` runs them on Ray Serve.
"""
