"""Unit deletion (Veit et al. 2016, arXiv 1605.06431): many variants of one trained network.

``candidates`` says which units can be deleted, ``cases`` names the usual questions as lists of
chains, ``evaluation`` runs chains on images, sharing whatever they have in common, ``shards``
does so in several processes, ``gradients`` measures the gradient along paths of given lengths.
Only the last three and ``running`` and ``results`` need torch.
"""
