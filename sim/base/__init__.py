"""What every experiment uses: columns of tables, number formats, provenance, statistics."""
