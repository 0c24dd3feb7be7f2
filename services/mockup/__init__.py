"""Listens to MockupsRequested. Emits MockupsRendered, MockupFailed. Owns nothing but a cache in memory.

What is in it, from the bottom up:

faults, light, pictures      the words for who has to mend something; linear light; files into pixels and back
template, reading, mistakes  the format of a mockup template, and what is wrong with a file that should be one
shapes, mesh, areas          a print area: from the unit square to pixels of a photograph, and what of each it covers
relief, warping              the light and the folds that a print takes from its photograph; a design bent into an area
layers, watermark, framing   what else is laid below or over it, and the part of the photograph that is shown
rendering, composing         a photograph made ready for any design, and a design drawn on it; the same by its template
backgrounds                  the photographs of a mockup group, made ready and kept
naming, provenance           what a picture is called, and what is written into it
authoring                    for who makes templates; no message needs it

To follow one picture, read `handlers.on_mockups_requested`, `backgrounds.ready_background`, then `rendering`.
"""
