"""What the site needs beyond Sphinx: pages that are made, drawings that follow the theme, equations without scripts."""
