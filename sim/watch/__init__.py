"""One image on its way through the chip as a page of its own: plain files of HTML, CSS and JavaScript, and what fills them."""
